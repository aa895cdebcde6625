import type { Clock, TimerHandle } from '../../lib/clock.ts';
import type { Spool } from '../spool/spool.ts';
import type { PendingQueue, PendingReport } from './pending.ts';

/**
 * A report not acknowledged by then goes to disk, together with all younger ones in memory, and is synced there: one
 * write for several reports, and half of the 5 s that a power cut may cost is left for a slow card.
 */
const SPILL_AFTER_MS = 2500;

/** Written and synced at once, so that the card is never owed more than this. */
const SPILL_BYTES = 256 * 1024;

export interface SpillerOptions {
  runId: string;
  queue: PendingQueue;
  spool: Spool;
  clock: Clock;
  /** Brings a report's claim up to date before it is written down. */
  seal: (report: PendingReport) => void;
  /** There is something in the spool that was not there before. */
  spilled: () => void;
}

/** Moves reports from memory to the spool when they wait too long. While the sink answers it does nothing at all. */
export class Spiller {
  readonly #options: SpillerOptions;
  #timer: TimerHandle | undefined;
  #spilling: Promise<boolean> | undefined;
  #stopped = false;

  constructor(options: SpillerOptions) {
    this.#options = options;
  }

  /** To be called when a report was added to the queue. */
  arm(leastDelayMs = 0): void {
    const { queue, clock } = this.#options;
    const oldest = queue.oldest;
    if (!oldest || this.#timer !== undefined || this.#spilling || this.#stopped) return;
    const delayMs = Math.max(leastDelayMs, oldest.offeredMs + SPILL_AFTER_MS - clock.monotonicMs());
    this.#timer = clock.setTimer(() => void this.#due(), delayMs);
  }

  /** Writes all that is left in memory to disk; what the disk does not take stays in the queue. */
  async finish(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== undefined) this.#options.clock.clear(this.#timer);
    await this.#spilling;
    await this.#spill();
  }

  async #due(): Promise<void> {
    const { queue, clock, spilled } = this.#options;
    this.#timer = undefined;
    const oldest = queue.oldest;
    if (!oldest) return;
    // The report that the timer was set for may be acknowledged, and a younger one be the oldest now.
    if (clock.monotonicMs() - oldest.offeredMs < SPILL_AFTER_MS) {
      this.arm();
      return;
    }
    this.#spilling = this.#spill();
    const succeeded = await this.#spilling;
    this.#spilling = undefined;
    this.arm(succeeded ? 0 : SPILL_AFTER_MS);
    spilled();
  }

  async #spill(): Promise<boolean> {
    const { queue, spool, runId, seal } = this.#options;
    for (const chunk of chunksOf(queue.all())) {
      for (const report of chunk) seal(report);
      try {
        await spool.append(chunk.map(({ seq, sampledAt, body }) => ({ runId, seq, sampledAt, body })));
      } catch {
        // The spool tells its problem in the log and in each report.
        return false;
      }
      for (const { seq } of chunk) queue.remove(seq);
    }
    return true;
  }
}

function* chunksOf(reports: PendingReport[]): Generator<PendingReport[]> {
  let chunk: PendingReport[] = [];
  let bytes = 0;
  for (const report of reports) {
    if (chunk.length > 0 && bytes + report.body.length > SPILL_BYTES) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(report);
    bytes += report.body.length;
  }
  if (chunk.length > 0) yield chunk;
}
