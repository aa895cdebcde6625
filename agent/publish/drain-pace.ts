/** What one send may hold; bytes as in the contract, so that the producer has nothing to split. */
export const MAX_SEND = { bytes: 512 * 1024, reports: 500 };
const LEAST_BYTES = 16 * 1024;

/** A live report waits for at most one send of drained ones: these are kept to about half a second each. */
const SLOW_SEND_MS = 500;
const FAST_SEND_MS = 150;

/** How much one send of drained reports may hold, by how long the last ones took: a weak radio link gets small ones. */
export class DrainPace {
  readonly maxRecords = MAX_SEND.reports;
  #maxBytes = MAX_SEND.bytes / 4;

  get maxBytes(): number {
    return this.#maxBytes;
  }

  took(ms: number): void {
    if (ms > SLOW_SEND_MS) this.#maxBytes = Math.max(LEAST_BYTES, this.#maxBytes / 2);
    else if (ms < FAST_SEND_MS) this.#maxBytes = Math.min(MAX_SEND.bytes, this.#maxBytes * 2);
  }
}
