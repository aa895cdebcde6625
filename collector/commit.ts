import type { Clock } from '../lib/clock.ts';
import type { SourcePartition } from './source.ts';

/** Commits within a long batch: often enough that a crash repeats little, rarely enough to cost nothing. */
const COMMIT_EVERY_MS = 1000;

/**
 * The low-water mark of one assignment: below it every record is a durable row, dead letter or overflow record, so
 * that is what may be committed. It dies with the assignment, because a commit made later would be one of the next
 * generation.
 */
export class LowWaterMark {
  readonly #partition: SourcePartition;
  readonly #clock: Clock;
  #next: bigint | undefined;
  #committed: bigint | undefined;
  #committedAt: number;

  constructor(partition: SourcePartition, clock: Clock) {
    this.#partition = partition;
    this.#clock = clock;
    this.#committedAt = clock.monotonicMs();
  }

  /** Everything up to and including `offset` is durable. */
  reached(offset: string): void {
    const next = BigInt(offset) + 1n;
    if (this.#next === undefined || next > this.#next) this.#next = next;
  }

  get isDue(): boolean {
    return this.#clock.monotonicMs() - this.#committedAt >= COMMIT_EVERY_MS;
  }

  /** Resolves false if the assignment is gone. Rejects as the source does; the mark stays to be committed then. */
  async commit(): Promise<boolean> {
    const next = this.#next;
    if (next === undefined || next === this.#committed) return true;
    this.#committedAt = this.#clock.monotonicMs();
    if (!(await this.#partition.commit(String(next)))) return false;
    this.#committed = next;
    return true;
  }
}
