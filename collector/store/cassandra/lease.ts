import { randomUUID } from 'node:crypto';
import { Backoff } from '../../../lib/backoff.ts';
import { type Clock, sleep } from '../../../lib/clock.ts';
import { ErichtError } from '../../../lib/errors.ts';
import type { Connection } from './connection.ts';

/** A holder that died keeps the others waiting no longer than this. */
const LEASE_SECONDS = 60;
/** What is left of the lease then, 50 s, is longer than any one change may take (SCHEMA_CHANGE_LIMIT_MS). */
const RENEW_AFTER_MS = 10_000;

/** Only one process at a time changes the schema. Kept in one row, taken by lightweight transaction, ends by TTL. */
export class SchemaLease {
  readonly #connection: Connection;
  readonly #table: string;
  readonly #clock: Clock;
  readonly #owner = randomUUID();
  #renewedAtMs = 0;

  constructor(connection: Connection, keyspace: string, clock: Clock) {
    this.#connection = connection;
    this.#table = `${keyspace}.schema_lease`;
    this.#clock = clock;
  }

  /** Waits for the lease until `deadlineMs` on the monotonic clock; throws SCHEMA_LOCKED then. */
  async take(deadlineMs: number): Promise<void> {
    const backoff = new Backoff({ baseMs: 100, maxMs: 2000 });
    for (;;) {
      const startedMs = this.#clock.monotonicMs();
      const holder = await this.#tryTake();
      if (holder === this.#owner) {
        this.#renewedAtMs = startedMs;
        return;
      }
      if (this.#clock.monotonicMs() > deadlineMs) {
        throw new ErichtError('SCHEMA_LOCKED', {
          what: `another process changes the schema of ${this.#connection.where}`,
          why: `it holds the lease as ${holder}`,
          next: `it frees itself ${LEASE_SECONDS} s after its holder died; try again then`,
        });
      }
      await sleep(this.#clock, backoff.nextDelayMs());
    }
  }

  /** To be called before each change; throws SCHEMA_LOCKED if another process took over meanwhile. */
  async keep(): Promise<void> {
    const startedMs = this.#clock.monotonicMs();
    if (startedMs - this.#renewedAtMs < RENEW_AFTER_MS) return;
    const renewal = `UPDATE ${this.#table} USING TTL ${LEASE_SECONDS} SET owner = ? WHERE name = 'schema' IF owner = ?`;
    const result = await this.#connection.execute(renewal, [this.#owner, this.#owner]);
    if (!result.wasApplied()) {
      throw new ErichtError('SCHEMA_LOCKED', { what: 'the schema lease was lost', why: 'a change took too long' });
    }
    this.#renewedAtMs = startedMs;
  }

  async release(): Promise<void> {
    await this.#connection.execute(`DELETE FROM ${this.#table} WHERE name = 'schema' IF owner = ?`, [this.#owner]);
  }

  /** Who holds the lease afterwards. An insert whose answer got lost is found as our own by the next attempt. */
  async #tryTake(): Promise<string> {
    const insert = `INSERT INTO ${this.#table} (name, owner) VALUES ('schema', ?) IF NOT EXISTS USING TTL ${LEASE_SECONDS}`;
    const result = await this.#connection.execute(insert, [this.#owner]);
    return result.wasApplied() ? this.#owner : String(result.first()?.get('owner'));
  }
}
