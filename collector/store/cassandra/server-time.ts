import type { Clock } from '../../../lib/clock.ts';
import { ErichtError } from '../../../lib/errors.ts';
import type { Connection } from './connection.ts';

type Asked = Pick<Connection, 'execute' | 'reconnections' | 'where'>;

/** Two monotonic clocks drift apart by less than 0.1 s in this time; a server that is set right is noticed by then. */
const REFRESH_MS = 600_000;

/**
 * What time it is at the servers. A time to live counts on their clock, so how old a row is must be asked of the same
 * one: reckoned with the clock of a process that is wrong by more than the retention, every row would be too old.
 */
export class ServerTime {
  readonly #connection: Asked;
  readonly #clock: Clock;
  #aheadMs = 0;
  #readAtMs = Number.NEGATIVE_INFINITY;
  #readOfConnection = -1;
  #reading: Promise<void> | undefined;

  constructor(connection: Asked, clock: Clock) {
    this.#connection = connection;
    this.#clock = clock;
  }

  /**
   * Epoch milliseconds, never later than at the server by more than drift. Asks the server every ten minutes and after
   * each reconnection, and rejects as a query does; in between it counts on with the monotonic clock.
   */
  async now(): Promise<number> {
    const isOld = this.#clock.monotonicMs() - this.#readAtMs >= REFRESH_MS;
    if (isOld || this.#readOfConnection !== this.#connection.reconnections) {
      this.#reading ??= this.#read().finally(() => {
        this.#reading = undefined;
      });
      await this.#reading;
    }
    return Math.floor(this.#clock.monotonicMs() + this.#aheadMs);
  }

  async #read(): Promise<void> {
    const { reconnections } = this.#connection;
    const result = await this.#connection.execute('SELECT toTimestamp(now()) AS now FROM system.local');
    const now: unknown = result.first()?.get('now');
    if (!(now instanceof Date)) {
      throw new ErichtError('STORE_OVERLOADED', { what: `${this.#connection.where} does not tell its time` });
    }
    // Taken after the answer: the way back makes this late, and a row then lives that much longer.
    this.#readAtMs = this.#clock.monotonicMs();
    this.#aheadMs = now.getTime() - this.#readAtMs;
    this.#readOfConnection = reconnections;
  }
}
