import type { FetchedRecord, PartitionAssignment } from './types.ts';

/**
 * One partition for as long as one generation of the group gives it to this consumer. It ends before the group is
 * joined anew, so whatever is committed through it carries the generation that it belongs to, and the broker refuses
 * the rest.
 */
export class Assignment implements PartitionAssignment {
  readonly topic: string;
  readonly partition: number;
  readonly #commit: (assignment: Assignment, nextOffset: string) => Promise<boolean>;
  readonly #end = new AbortController();
  #next: bigint | undefined;

  constructor(
    topic: string,
    partition: number,
    commit: (assignment: Assignment, nextOffset: string) => Promise<boolean>,
  ) {
    this.topic = topic;
    this.partition = partition;
    this.#commit = commit;
  }

  get signal(): AbortSignal {
    return this.#end.signal;
  }

  get alive(): boolean {
    return !this.#end.signal.aborted;
  }

  /** One above the last record handed over, undefined before the first. */
  get next(): string | undefined {
    return this.#next?.toString();
  }

  commit(nextOffset: string): Promise<boolean> {
    return this.alive ? this.#commit(this, nextOffset) : Promise.resolve(false);
  }

  /** Keeps what has not been handed over yet: a partition that changes its leader can be fetched twice. */
  takeNew(records: FetchedRecord[]): FetchedRecord[] {
    const next = this.#next;
    const fresh = next === undefined ? records : records.filter(({ offset }) => BigInt(offset) >= next);
    const last = fresh.at(-1);
    if (last) this.#next = BigInt(last.offset) + 1n;
    return fresh;
  }

  /** After an offset out of range the partition begins anew, possibly at a lower offset. */
  forgetPosition(): void {
    this.#next = undefined;
  }

  end(): void {
    this.#end.abort();
  }
}
