import { railEnergy, totalEnergy } from './energy.ts';
import type { Facts } from './facts.ts';
import { nodeState, RETURN_MS } from './node-state.ts';
import { nodePower, totalPower } from './power.ts';
import type { Report } from './report.ts';
import { isHeard, type NodeStatus, type PipelineStatus, type Status } from './status.ts';
import { clusterSentence } from './status-sentence.ts';
import { reportWarnings } from './warnings.ts';

const STATUS_SCHEMA_VERSION = 1;

/** The newest live report of a node, as an observer has it. */
export interface ObservedReport {
  report: Report;
  /** Append time in Kafka or at the link, epoch ms. */
  appendedAt: number;
  /** When it arrived, on the observer's clock, epoch ms; a store's reader leaves it out and the append time is taken. */
  seenAt?: number;
  /** When another sign of life came: a beat, or a report that was sent late. Epoch ms, observer's clock. */
  otherSignAt?: number;
}

interface StatusInput {
  clusterId: string;
  reports: Iterable<ObservedReport>;
  facts: Iterable<{ facts: Facts }>;
  pipeline: PipelineStatus;
  /** Nodes that ought to be there; one never heard of is `expected`. */
  expectedNodes?: string[];
  /** Why more than one seems to speak under this nodeId; undefined where that is not so. */
  conflictOf?: (nodeId: string) => string | undefined;
  /** Epoch ms on the observer's clock. */
  now: number;
}

/** The state of a whole cluster from what an observer has. Pure: server, page and command line all call it. */
export function clusterStatus(input: StatusInput): Status {
  const { clusterId, reports, facts, pipeline, expectedNodes = [], now } = input;
  const byNode = new Map<string, NodeStatus>();
  const expect = (nodeId: string) => byNode.set(nodeId, { nodeId, state: 'expected', warnings: [] });
  expectedNodes.forEach(expect);
  let simulated = false;
  for (const { facts: known } of facts) {
    if (known.clusterId !== clusterId) continue;
    if (!byNode.has(known.nodeId)) expect(known.nodeId);
    simulated ||= known.simulated === true;
  }
  const heard: Report[] = [];
  const counted: Report[] = [];
  for (const observed of reports) {
    if (observed.report.clusterId !== clusterId) continue;
    const node = nodeStatus(observed, input);
    byNode.set(node.nodeId, node);
    counted.push(observed.report);
    if (isHeard(node.state)) heard.push(observed.report);
    simulated ||= observed.report.simulated === true;
  }
  const nodes = [...byNode.values()].sort((a, b) => compareNames(a.nodeId, b.nodeId));
  const power = { ...totalPower(heard), nodes: nodes.length };
  const energy = totalEnergy(counted);
  const status = { schemaVersion: STATUS_SCHEMA_VERSION, clusterId, at: now, nodes, power, pipeline };
  return {
    ...status,
    ...(simulated ? { simulated: true } : {}),
    ...(energy ? { energy } : {}),
    sentence: clusterSentence(status, now),
  };
}

/** Names in the order that people count: pi-2 before pi-10. */
function compareNames(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

function nodeStatus(observed: ObservedReport, { pipeline, now, conflictOf }: StatusInput): NodeStatus {
  const { report, appendedAt, seenAt = appendedAt, otherSignAt } = observed;
  const conflict = conflictOf?.(report.nodeId);
  // Values that come from two boards by turns mean nothing: that is told first.
  const warnings = [...(conflict ? [conflict] : []), ...reportWarnings(report)];
  const state = nodeState(
    {
      reportSeenAt: seenAt,
      beatSeenAt: otherSignAt,
      intervalMs: report.intervalMs,
      saidGoodbye: report.goodbye === true,
      hasWarning: warnings.length > 0,
      beatsConfigured: false,
      // After the way has opened (or this process began), a board that hasn't spoken yet is on its way back.
      partitionReadable: pipeline.readable && (seenAt >= pipeline.since || now - pipeline.since >= RETURN_MS),
    },
    now,
  );
  const counter = railEnergy(report, false);
  const watts = nodePower(report.rails);
  const { memory } = report;
  return {
    nodeId: report.nodeId,
    state,
    lastSeenAt: seenAt,
    reportAgeMs: Math.max(0, now - seenAt),
    intervalMs: report.intervalMs,
    ...(report.simulated ? { simulated: true } : {}),
    ...optional('powerWatts', watts),
    ...optional('energyJoules', counter?.energyJoules),
    ...optional('coveredSeconds', counter?.coveredSeconds),
    ...optional('temperatureCelsius', report.temperature?.temperatureCelsius),
    ...optional('cpuUsageRatio', report.cpu?.usageRatio),
    ...optional('loadOneMinute', report.load?.oneMinute),
    ...optional('memoryUsedBytes', memory && memory.totalBytes - memory.availableBytes),
    ...optional('memoryTotalBytes', memory?.totalBytes),
    ...optional('runningContainers', report.docker?.runningContainers),
    warnings,
  };
}

function optional<K extends string>(key: K, value: number | undefined): { [key in K]?: number } {
  return value === undefined ? {} : ({ [key]: value } as { [key in K]: number });
}
