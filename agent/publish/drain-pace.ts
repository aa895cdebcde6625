const MOST_BYTES = 512 * 1024;
const LEAST_BYTES = 16 * 1024;
const MOST_RECORDS = 500;

/** A live report waits for at most one send of drained ones: these are kept to about half a second each. */
const SLOW_SEND_MS = 500;
const FAST_SEND_MS = 150;

/** How much one send of drained reports may hold, by how long the last ones took: a weak radio link gets small ones. */
export class DrainPace {
  readonly maxRecords = MOST_RECORDS;
  #maxBytes = MOST_BYTES / 4;

  get maxBytes(): number {
    return this.#maxBytes;
  }

  took(ms: number): void {
    if (ms > SLOW_SEND_MS) this.#maxBytes = Math.max(LEAST_BYTES, this.#maxBytes / 2);
    else if (ms < FAST_SEND_MS) this.#maxBytes = Math.min(MOST_BYTES, this.#maxBytes * 2);
  }
}
