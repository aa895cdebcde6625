import type { Clock } from '../../lib/clock.ts';
import { clusterStatus, type ObservedReport } from '../../telemetry/cluster-status.ts';
import type { Facts } from '../../telemetry/facts.ts';
import { IdentityConflicts } from '../../telemetry/identity-conflict.ts';
import type { Report } from '../../telemetry/report.ts';
import { isHeard, type PipelineStatus, type Status } from '../../telemetry/status.ts';
import { ARRIVALS_KEPT_MS, HISTORY_KEPT, type HistoryPoint, type InterfaceView } from '../messages.ts';
import type { LiveReport } from './live-source.ts';
import { interfaceViews } from './node-details.ts';

/** A fast node's strip is full at this; more bars than pixels help nobody. */
const MOST_ARRIVALS = 240;
const RATE_OVER_MS = 10_000;
/** Reports come in step: without it the first seconds would count one too many. */
const HALF_SECOND_MS = 500;
/** Wall time that moved by less than this against monotonic time was not stepped. */
const STEP_MS = 100;

interface NodeEntry extends LiveReport {
  seenAt: number;
  /** Wall minus monotonic time when it was seen: tells later how far the wall clock was stepped since. */
  epochMs: number;
  otherSignAt?: number;
  interfaces: InterfaceView[];
  arrivals: number[];
  /** Raised whenever something of the node is new. */
  revision: number;
}

/** Within a run the sequence decides, because a broker's clock may step back; between runs the append time does. */
function isNewer({ report, appendedAt }: LiveReport, known: LiveReport, now: number): boolean {
  if (report.drained) return false;
  if (known.report.runId === report.runId) return report.seq > known.report.seq;
  return isLater(appendedAt, known.appendedAt, now);
}

/**
 * An append time that lies ahead of the clock was given before the clock was set back, and orders nothing: what arrives
 * now would else be hidden until that time has come.
 */
function isLater(appendedAt: number, knownAppendedAt: number, now: number): boolean {
  return appendedAt >= knownAppendedAt || knownAppendedAt > now;
}

interface LiveStateOptions {
  clusterId: string | undefined;
  expectedNodes: string[];
  clock: Clock;
}

/** The newest of every node, in memory: seeded from the store, then fed by the live source. */
export class LiveState {
  readonly #clock: Clock;
  readonly #expectedNodes: string[];
  readonly #nodes = new Map<string, NodeEntry>();
  readonly #facts = new Map<string, { facts: Facts; appendedAt: number }>();
  readonly #heardMs: number[] = [];
  readonly #conflicts = new IdentityConflicts();
  readonly #history: HistoryPoint[] = [];
  #clusterId: string | undefined;
  #firstArrivalMs: number | undefined;

  constructor({ clusterId, expectedNodes, clock }: LiveStateOptions) {
    this.#clusterId = clusterId;
    this.#expectedNodes = expectedNodes;
    this.#clock = clock;
  }

  get clusterId(): string | undefined {
    return this.#clusterId;
  }

  /** Without a configured cluster the first one seen is shown: totals never mix two. */
  adoptCluster(clusterId: string): void {
    this.#clusterId ??= clusterId;
  }

  /** A report from the store: it never replaces one that came live. */
  seed({ report, appendedAt }: LiveReport): void {
    this.adoptCluster(report.clusterId);
    if (report.clusterId !== this.#clusterId || this.#nodes.has(report.nodeId)) return;
    this.#put(report, appendedAt, Math.min(appendedAt, this.#clock.now()), undefined);
  }

  /** A report as it arrives. One that was sent late, or again, is a sign of life only: its values are of the past. */
  accept({ report, appendedAt }: LiveReport): void {
    this.adoptCluster(report.clusterId);
    if (report.clusterId !== this.#clusterId) return;
    const now = this.#clock.now();
    const known = this.#nodes.get(report.nodeId);
    this.#firstArrivalMs ??= this.#clock.monotonicMs();
    this.#heardMs.push(this.#clock.monotonicMs());
    this.#conflicts.report(report, this.#clock.monotonicMs());
    if (known && !isNewer({ report, appendedAt }, known, now)) {
      // A goodbye that is sent again is no sign of life.
      if (!report.goodbye) known.otherSignAt = now;
      known.revision += 1;
      return;
    }
    if (report.drained) return;
    const entry = this.#put(report, appendedAt, now, known);
    entry.arrivals.push(now);
    if (entry.arrivals.length > MOST_ARRIVALS) entry.arrivals.shift();
  }

  acceptFacts(facts: Facts, appendedAt: number): void {
    this.adoptCluster(facts.clusterId);
    if (facts.clusterId !== this.#clusterId) return;
    // Facts are read from the beginning: those of last week, which come at once, were not spoken at once.
    const ageMs = Math.max(0, this.#clock.now() - appendedAt);
    this.#conflicts.facts(facts, appendedAt, this.#clock.monotonicMs() - ageMs);
    const known = this.#facts.get(facts.nodeId);
    if (known && !isLater(appendedAt, known.appendedAt, this.#clock.now())) return;
    this.#facts.set(facts.nodeId, { facts, appendedAt });
    const node = this.#nodes.get(facts.nodeId);
    if (node) node.revision += 1;
  }

  status(pipeline: PipelineStatus): Status {
    const clusterId = this.#clusterId ?? '';
    return clusterStatus({
      clusterId,
      reports: this.#observed(),
      facts: this.#facts.values(),
      pipeline,
      expectedNodes: this.#expectedNodes,
      conflictOf: (nodeId) => this.#conflicts.warning(clusterId, nodeId, this.#clock.monotonicMs()),
      now: this.#clock.now(),
    });
  }

  report(nodeId: string): Report | undefined {
    return this.#nodes.get(nodeId)?.report;
  }

  facts(nodeId: string): Facts | undefined {
    return this.#facts.get(nodeId)?.facts;
  }

  interfaces(nodeId: string): InterfaceView[] {
    return this.#nodes.get(nodeId)?.interfaces ?? [];
  }

  revision(nodeId: string): number {
    return this.#nodes.get(nodeId)?.revision ?? 0;
  }

  /** When its reports of the last minute arrived, epoch ms. */
  arrivals(nodeId: string): number[] {
    const from = this.#clock.now() - ARRIVALS_KEPT_MS;
    return (this.#nodes.get(nodeId)?.arrivals ?? []).filter((at) => at >= from);
  }

  get history(): readonly HistoryPoint[] {
    return this.#history;
  }

  /** Reports per second over the last 10 s, or since the first one came. */
  rate(): number {
    const nowMs = this.#clock.monotonicMs();
    const first = this.#heardMs.findIndex((at) => at > nowMs - RATE_OVER_MS);
    this.#heardMs.splice(0, first === -1 ? this.#heardMs.length : first);
    const overMs = Math.min(RATE_OVER_MS, nowMs - (this.#firstArrivalMs ?? nowMs) + HALF_SECOND_MS);
    // Before a second has gone by, one report would make any rate.
    return overMs < 1000 ? 0 : this.#heardMs.length / (overMs / 1000);
  }

  /** Adds the second that ended at `status.at` to the history and returns it. */
  record(status: Status): HistoryPoint {
    const ratios = status.nodes.filter((node) => isHeard(node.state)).flatMap((node) => node.cpuUsageRatio ?? []);
    const point: HistoryPoint = {
      at: status.at,
      powerWatts: status.power.powerWatts ?? null,
      cpuUsageRatio: ratios.length > 0 ? ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length : null,
    };
    this.#history.push(point);
    if (this.#history.length > HISTORY_KEPT) this.#history.shift();
    return point;
  }

  #put(report: Report, appendedAt: number, seenAt: number, known: NodeEntry | undefined): NodeEntry {
    const entry: NodeEntry = {
      report,
      appendedAt,
      seenAt,
      epochMs: this.#clock.now() - this.#clock.monotonicMs(),
      interfaces: interfaceViews(report, known),
      arrivals: known?.arrivals ?? [],
      revision: (known?.revision ?? 0) + 1,
      ...(known?.otherSignAt === undefined ? {} : { otherSignAt: known.otherSignAt }),
    };
    this.#nodes.set(report.nodeId, entry);
    return entry;
  }

  /** Ages are kept on monotonic time: a stepped wall clock makes no node silent and wakes none. */
  *#observed(): Iterable<ObservedReport> {
    const epochMs = this.#clock.now() - this.#clock.monotonicMs();
    for (const { report, appendedAt, seenAt, otherSignAt, epochMs: then } of this.#nodes.values()) {
      const stepMs = Math.abs(epochMs - then) > STEP_MS ? epochMs - then : 0;
      yield {
        report,
        appendedAt,
        seenAt: seenAt + stepMs,
        ...(otherSignAt === undefined ? {} : { otherSignAt: otherSignAt + stepMs }),
      };
    }
  }
}
