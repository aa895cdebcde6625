import { Backoff } from '../../lib/backoff.ts';
import { type Clock, sleep } from '../../lib/clock.ts';
import { withDeadline } from '../../lib/deadline.ts';
import { isRetryable, reasonOf } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import type { DropReason } from '../../telemetry/accounting.ts';
import { encode } from '../../telemetry/codec.ts';
import type { Facts } from '../../telemetry/facts.ts';
import type { RecordSink } from '../../telemetry/link.ts';
import { MAX_REPORT_BYTES, type Report } from '../../telemetry/report.ts';
import { encodeWithin } from '../report-limit.ts';
import type { SpooledRecord } from '../spool/frame.ts';
import { Spool, type SpoolCounts } from '../spool/spool.ts';
import type { SpoolFiles } from '../spool/spool-files.ts';
import { Delivery, type ReportId, type ReportToSend } from './delivery.ts';
import { DrainPace, MAX_SEND } from './drain-pace.ts';
import { type DeliveryCounts, DeliveryLedger } from './ledger.ts';
import { PendingQueue, type PendingReport } from './pending.ts';
import { asSentNow, claimIn, withClaim } from './sealing.ts';
import { Spiller } from './spiller.ts';

const QUEUE_BYTES = 8 * 1024 * 1024;
const QUEUE_REPORTS = 10_000;

/** Short: a sink that is away has a backoff of its own. */
const RETRY = { baseMs: 200, maxMs: 2000 };

/** While a stop waits for the sink, it is asked this often. */
const FLUSH_RETRY_MS = 200;

/** Of the 5 s that a stop may take: the flush, then the spool, then the sink. */
const STOP_LIMITS_MS = { flush: 2000, spool: 900, sink: 1800 };

export interface PublisherOptions {
  identity: { clusterId: string; nodeId: string; bootId: string; runId: string };
  sink: RecordSink;
  /** Absent where the records go to the same process: what it can't take is given up. */
  spool?: { directory: string; maxBytes: number; maxAgeMs: number; files?: SpoolFiles } | undefined;
  queueMaxBytes?: number | undefined;
  clock: Clock;
  log: Log;
  uptimeMs: () => number;
  clockSynchronised: () => boolean;
  /** Told synchronously when a send resolves. */
  acknowledged?: ((ids: ReportId[]) => void) | undefined;
}

/**
 * Brings a node's records to the sink: one send at a time, live reports first, then facts, then what waits in the
 * spool, so that an outage is drained without holding up what is new. Each report is acknowledged, dropped with its
 * reason, or still waiting; the ledger knows which.
 */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #clock: Clock;
  readonly #runId: string;
  readonly #ledger: DeliveryLedger;
  readonly #queue: PendingQueue;
  readonly #delivery: Delivery;
  readonly #disk: { spool: Spool; spiller: Spiller } | undefined;
  readonly #pace = new DrainPace();
  readonly #backoff = new Backoff(RETRY);
  readonly #stopAsked = new AbortController();
  #phase: 'idle' | 'running' | 'flushing' | 'stopped' = 'idle';
  #facts: Buffer | undefined;
  /** Read from the spool, to be sent next. */
  #drainable: SpooledRecord[] | undefined;
  #readingAhead = false;
  /** Highest seq of this run that was acknowledged. */
  #newestSent = -1;
  #loop: Promise<void> | undefined;
  #wake: (() => void) | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: PublisherOptions) {
    const { identity, sink, uptimeMs, clock, log } = options;
    this.#options = options;
    this.#clock = clock;
    this.#runId = identity.runId;
    this.#ledger = new DeliveryLedger(identity.runId);
    this.#queue = new PendingQueue({ maxBytes: options.queueMaxBytes ?? QUEUE_BYTES, maxReports: QUEUE_REPORTS });
    const acknowledged = (ids: ReportId[]) => this.#noteAcknowledged(ids);
    const refused = (id: ReportId, reason: DropReason, why: string) => this.#giveUp(id, reason, why);
    this.#delivery = new Delivery({ identity, sink, uptimeMs, log, acknowledged, refused });
    if (options.spool) this.#disk = this.#makeDisk(options.spool);
  }

  /** Throws STATE_DIR_TAKEN, and what the sink says that waiting can't mend; a sink that is away is waited for. */
  async start(): Promise<void> {
    await this.#disk?.spool.lock();
    try {
      await this.#delivery.startSink();
    } catch (error) {
      if (!isRetryable(error)) throw error;
    }
    if (this.#phase !== 'idle') return;
    this.#phase = 'running';
    // Reading what is left from earlier must not hold up the first report.
    void this.#disk?.spool.open();
    this.#loop = this.#run();
  }

  /** Takes the next report of this run; its claim is filled in here. Seqs come in order, from 0. */
  offer(report: Report): void {
    if (this.#isIn('flushing') || this.#isIn('stopped')) return;
    const { seq } = report;
    this.#ledger.offered(seq);
    const claimVersion = this.#ledger.version;
    const body = encodeWithin({ ...report, claim: this.#ledger.claim(seq) });
    if (body.length > MAX_REPORT_BYTES) {
      this.#giveUp({ runId: this.#runId, seq }, 'too-large', `it takes ${body.length} bytes`);
      return;
    }
    const sampledAt = report.clockSynchronised ? report.timestamp : undefined;
    const offeredMs = this.#clock.monotonicMs();
    this.#queue.add({ seq, body, offeredMs, sampledAt, claimVersion, attempted: false, inFlight: false });
    for (const excess of this.#queue.removeExcess()) this.#dropFromMemory(excess.seq);
    this.#disk?.spiller.arm();
    void this.#disk?.spool.probe();
    this.#wakeUp();
  }

  /** Takes the place of facts that are not sent yet. */
  offerFacts(facts: Facts): void {
    this.#facts = encode(facts);
    this.#wakeUp();
  }

  /** Of this run's reports. Those on disk after a stop are still waiting: the next run sends them. */
  counts(): DeliveryCounts {
    return this.#ledger.counts();
  }

  spoolCounts(): SpoolCounts | undefined {
    return this.#disk?.spool.counts();
  }

  /** Flushes what is in memory, puts the rest into the spool, and takes less than 5 s whatever the sink does. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#phase = 'flushing';
    this.#stopAsked.abort();
    this.#wakeUp();
    await this.#within(STOP_LIMITS_MS.flush, 'sending the last reports', async () => this.#loop);
    this.#phase = 'stopped';
    this.#delivery.close();
    this.#wakeUp();
    await this.#within(STOP_LIMITS_MS.spool, 'writing the last reports to disk', async () => {
      await this.#disk?.spiller.finish();
      await this.#disk?.spool.close();
    });
    const { sink, log } = this.#options;
    const lost = this.#queue.all().map(({ seq }) => seq);
    if (lost.length > 0) {
      const why = this.#disk ? `neither ${sink.name} nor the disk took them` : `${sink.name} did not take them`;
      log.warn({ runId: this.#runId, reports: lost.length }, `the last ${lost.length} reports are given up: ${why}`);
    }
    for (const seq of lost) this.#dropFromMemory(seq);
    await this.#within(STOP_LIMITS_MS.sink, `stopping ${sink.name}`, () => sink.stop());
  }

  async #within(limitMs: number, what: string, work: () => Promise<void>): Promise<void> {
    try {
      await withDeadline(work(), limitMs, what, this.#clock);
    } catch (error) {
      this.#options.log.debug({}, `the agent stops, though not all is done: ${reasonOf(error)}`);
    }
  }

  #makeDisk(settings: NonNullable<PublisherOptions['spool']>): { spool: Spool; spiller: Spiller } {
    const { clock, log, clockSynchronised } = this.#options;
    const spool = new Spool({
      ...settings,
      clock,
      log,
      clockSynchronised,
      dropped: (runId, range, reason) => this.#ledger.dropped(runId, range, reason),
      found: (runs) => {
        for (const run of runs) this.#ledger.adoptEarlierRun(run.runId, run.ranges, claimIn(run.newest.body));
        this.#wakeUp();
      },
    });
    const seal = (report: PendingReport) => this.#seal(report);
    const spilled = () => this.#wakeUp();
    return { spool, spiller: new Spiller({ runId: this.#runId, queue: this.#queue, spool, clock, seal, spilled }) };
  }

  // Asked through a method: the phase changes during an await, which the compiler's narrowing can't know.
  #isIn(phase: 'flushing' | 'stopped'): boolean {
    return this.#phase === phase;
  }

  async #run(): Promise<void> {
    while (!this.#isIn('stopped')) {
      const outcome = await this.#step();
      if (outcome === 'failed') await this.#waitToRetry();
      if (outcome === 'done') this.#backoff.reset();
      if (outcome !== 'idle') continue;
      if (this.#isIn('flushing')) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** A live report waits for one send of facts and one of drained reports at most. */
  async #step(): Promise<'idle' | 'done' | 'failed'> {
    const spool = this.#disk?.spool;
    const work: (() => Promise<boolean>)[] = [];
    if (this.#queue.size > 0) work.push(() => this.#sendLive());
    if (this.#facts) work.push(() => this.#sendFacts());
    // A stop does not wait for the spool: what is there is safe, and the next run sends it.
    if (spool && !this.#isIn('flushing')) {
      const records = this.#drainable;
      if (records) work.push(() => this.#drain(spool, records));
      else void this.#readAhead(spool);
    }
    for (const send of work) if (!(await send())) return 'failed';
    return work.length > 0 ? 'done' : 'idle';
  }

  async #waitToRetry(): Promise<void> {
    if (this.#isIn('flushing')) await sleep(this.#clock, FLUSH_RETRY_MS);
    else await sleep(this.#clock, this.#backoff.nextDelayMs(), this.#stopAsked.signal);
  }

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  async #sendLive(): Promise<boolean> {
    const batch = this.#queue.batch(MAX_SEND.reports, MAX_SEND.bytes);
    for (const report of batch) {
      this.#seal(report);
      report.attempted = true;
      report.inFlight = true;
    }
    const delivered = await this.#delivery.sendReports(
      batch.map(({ seq, body }) => this.#toSend(this.#runId, seq, body)),
    );
    for (const report of batch) report.inFlight = false;
    return delivered;
  }

  async #sendFacts(): Promise<boolean> {
    const body = this.#facts;
    if (!body || !(await this.#delivery.sendFacts(body))) return !body;
    // Newer ones may have come meanwhile.
    if (this.#facts === body) this.#facts = undefined;
    return true;
  }

  /** Live reports never wait for the disk: what is to be drained is read while they are sent. */
  async #readAhead(spool: Spool): Promise<void> {
    if (this.#readingAhead || spool.counts().waitingReports === 0) return;
    this.#readingAhead = true;
    const records = await spool.peek(this.#pace.maxRecords, this.#pace.maxBytes);
    this.#readingAhead = false;
    if (records.length === 0) return;
    this.#drainable = records;
    this.#wakeUp();
  }

  async #drain(spool: Spool, records: SpooledRecord[]): Promise<boolean> {
    const reports: ReportToSend[] = [];
    for (const record of records) {
      const { runId, seq, body } = record;
      if (!this.#ledger.isOutstanding(runId, seq)) continue;
      if (spool.isTooOld(record)) this.#ledger.dropped(runId, { from: seq, to: seq }, 'too-old');
      else reports.push(this.#toSend(runId, seq, body));
    }
    if (reports.length > 0) {
      const startedMs = this.#clock.monotonicMs();
      if (!(await this.#delivery.sendReports(reports))) return false;
      this.#pace.took(this.#clock.monotonicMs() - startedMs);
    }
    this.#drainable = undefined;
    void spool.release(records);
    return true;
  }

  #toSend(runId: string, seq: number, body: Buffer): ReportToSend {
    const overtaken = runId === this.#runId ? seq < this.#newestSent : this.#newestSent >= 0;
    const { identity, uptimeMs } = this.#options;
    return { runId, seq, body: asSentNow(body, { bootId: identity.bootId, uptimeMs: uptimeMs(), overtaken }) };
  }

  /** Brings the claim up to date, as long as no attempt was made with the old one. */
  #seal(report: PendingReport): void {
    if (report.attempted || report.claimVersion === this.#ledger.version) return;
    report.claimVersion = this.#ledger.version;
    this.#queue.replaceBody(report, withClaim(report.body, this.#ledger.claim(report.seq)));
  }

  #noteAcknowledged(ids: ReportId[]): void {
    for (const { runId, seq } of ids) {
      this.#ledger.acknowledged(runId, seq);
      if (runId !== this.#runId) continue;
      this.#queue.remove(seq);
      this.#newestSent = Math.max(this.#newestSent, seq);
    }
    this.#options.acknowledged?.(ids);
  }

  #giveUp({ runId, seq }: ReportId, reason: DropReason, why: string): void {
    this.#ledger.dropped(runId, { from: seq, to: seq }, reason);
    if (runId === this.#runId) this.#queue.remove(seq);
    this.#options.log.warn({ runId, seq, reason }, `report ${seq} is given up: ${why}`);
  }

  /** What memory can't hold: the spool should have taken it, or there is none. */
  #dropFromMemory(seq: number): void {
    this.#ledger.dropped(this.#runId, { from: seq, to: seq }, this.#disk ? 'spool-failed' : 'queue-full');
    this.#queue.remove(seq);
  }
}
