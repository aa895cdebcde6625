import { randomUUID } from 'node:crypto';
import { type Clock, sleep } from '../lib/clock.ts';
import type { Service } from '../lib/lifecycle.ts';
import type { Log } from '../lib/log.ts';
import type { RecordSink } from '../telemetry/link.ts';
import type { Report } from '../telemetry/report.ts';
import { assembleReport, type Identity, type Moment } from './assemble.ts';
import type { FactsPart } from './facts.ts';
import { FactsFeed } from './facts-feed.ts';
import type { ReportId } from './publish/delivery.ts';
import type { DeliveryCounts } from './publish/ledger.ts';
import { Publisher, type PublisherOptions } from './publish/publisher.ts';
import type { Finding, Sampler } from './sampler.ts';
import { Sampling } from './sampling.ts';
import { Schedule } from './schedule.ts';
import { SelfMeter } from './self-metrics.ts';

/** Between the two samplings of one report alone: values such as CPU usage exist only between two readings. */
const ONCE_APART_MS = 1000;
const ONCE_LOOK_MS = 5000;

export interface AgentOptions {
  identity: {
    clusterId: string;
    nodeId: string;
    bootId: string;
    /** No sensor stands behind the values: said in every report. */
    simulated?: boolean;
  };
  /** Time between two reports, from 10 ms up. */
  intervalMs: number;
  samplers: Sampler[];
  facts: () => Promise<FactsPart>;
  sink: RecordSink;
  /** Where reports wait while the sink is away; absent on the in-process link. */
  spool?: { directory: string; maxBytes: number; maxAgeMs: number };
  /** Reports in memory, in bytes; default 8 MiB. */
  queueMaxBytes?: number;
  clock: Clock;
  log: Log;
  /** Milliseconds since boot, monotonic. */
  uptimeMs: () => number;
  clockSynchronised: () => boolean;
  /** Told synchronously at each acknowledgement, of reports of earlier runs, too. */
  acknowledged?: (ids: ReportId[]) => void;
}

/**
 * One node's agent: samples at its interval whatever else happens, and brings each report to the sink. One object is
 * one run: it is started once.
 */
export class Agent implements Service {
  readonly name = 'agent';
  readonly runId = randomUUID();
  readonly #options: AgentOptions;
  readonly #identity: Identity;
  readonly #sampling: Sampling;
  readonly #schedule: Schedule;
  readonly #publisher: Publisher;
  readonly #factsFeed: FactsFeed;
  readonly #self: SelfMeter;
  #seq = 0;
  #inRound = false;
  #clockSynchronised = false;
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: AgentOptions) {
    const { samplers, intervalMs, clock, log } = options;
    this.#options = options;
    this.#identity = { ...options.identity, runId: this.runId };
    const findingsChanged = () => this.#factsFeed.look();
    this.#sampling = new Sampling({ samplers, intervalMs, clock, log, findingsChanged });
    this.#schedule = new Schedule({ intervalMs, clock, tick: () => void this.#round() });
    this.#publisher = new Publisher(publisherOptions(options, this.#identity));
    this.#factsFeed = new FactsFeed({
      identity: this.#identity,
      intervalMs,
      gather: options.facts,
      offer: (facts) => this.#publisher.offerFacts(facts),
      clock,
      log,
    });
    this.#self = new SelfMeter(clock, () => this.#sampling.statuses());
  }

  /**
   * Resolves when reports are being made, with or without a sink, a disk or a sensor. Throws STATE_DIR_TAKEN if another
   * agent uses the spool's directory, and what the sink says that waiting can't mend.
   */
  start(): Promise<void> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  async #start(): Promise<void> {
    if (this.#stopping) return;
    await this.#publisher.start();
    await this.#sampling.start();
    if (this.#stopping) return;
    this.#clockSynchronised = this.#options.clockSynchronised();
    this.#schedule.start();
    this.#factsFeed.start();
  }

  /** Says goodbye in a last report, flushes, puts the rest on disk. Takes less than 5 s whatever the sink does. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#schedule.stop();
    this.#factsFeed.stop();
    if (this.#seq > 0) this.#offer(this.#now(), true);
    const samplingStopped = this.#sampling.stop();
    // A failed start was told to whoever asked for it.
    await this.#starting?.catch(() => {});
    await Promise.all([samplingStopped, this.#publisher.stop()]);
  }

  /** Of this run's reports. */
  counts(): DeliveryCounts {
    return this.#publisher.counts();
  }

  /** What there is to read here and what is absent, with reasons. */
  findings(): Finding[] {
    return this.#sampling.findings();
  }

  /** One report of two samplings 1 s apart; nothing is sent. For an agent that is not started. */
  async sampleOnce(): Promise<Report> {
    await this.#sampling.start(ONCE_LOOK_MS);
    await this.#sampling.readAll();
    await sleep(this.#options.clock, ONCE_APART_MS);
    const moment = this.#now();
    await this.#sampling.readAll();
    const { intervalMs } = this.#options;
    const parts = this.#sampling.parts();
    const self = this.#self.current();
    await this.#sampling.stop();
    return assembleReport({ identity: this.#identity, seq: 0, moment, intervalMs, parts, self });
  }

  async #round(): Promise<void> {
    // Rounds are shorter than an interval by construction; if the event loop was held up, one is enough.
    if (this.#inRound || this.#stopping) return;
    this.#inRound = true;
    const moment = this.#now();
    // Whether the clock can be trusted is one of the facts.
    if (moment.clockSynchronised !== this.#clockSynchronised) this.#factsFeed.look();
    this.#clockSynchronised = moment.clockSynchronised;
    await this.#sampling.round();
    this.#inRound = false;
    if (!this.#stopping) this.#offer(moment, false);
  }

  #offer(moment: Moment, goodbye: boolean): void {
    const spool = this.#publisher.spoolCounts();
    const report = assembleReport({
      identity: this.#identity,
      seq: this.#seq,
      moment,
      intervalMs: this.#options.intervalMs,
      parts: this.#sampling.parts(),
      ...(spool && { spool }),
      self: this.#self.current(),
      goodbye,
    });
    this.#seq += 1;
    this.#publisher.offer(report);
  }

  #now(): Moment {
    const { clock, uptimeMs, clockSynchronised } = this.#options;
    return { timestamp: clock.now(), uptimeMs: uptimeMs(), clockSynchronised: clockSynchronised() };
  }
}

function publisherOptions(options: AgentOptions, identity: Identity): PublisherOptions {
  const { sink, spool, queueMaxBytes, clock, log, uptimeMs, clockSynchronised, acknowledged } = options;
  return { identity, sink, spool, queueMaxBytes, clock, log, uptimeMs, clockSynchronised, acknowledged };
}
