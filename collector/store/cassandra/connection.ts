import { auth, Client, type ClientOptions, policies, type QueryOptions, types } from 'cassandra-driver';
import { type Clock, sleep } from '../../../lib/clock.ts';
import { withDeadline } from '../../../lib/deadline.ts';
import { ErichtError, reasonOf } from '../../../lib/errors.ts';
import type { Log } from '../../../lib/log.ts';
import { storeFailure } from './failure.ts';
import { cureHosts } from './host-cure.ts';

export interface CassandraAddress {
  /** Hosts, without port. */
  contactPoints: string[];
  port: number;
  localDataCenter: string;
  /** Contents of PEM files. The server's certificate and name are always checked. */
  tls?: { ca?: string; cert?: string; key?: string } | undefined;
  auth?: { username: string; password: string } | undefined;
}

export interface Statement {
  query: string;
  params: unknown[];
}

const CONNECT_TIMEOUT_MS = 5000;
/** Opening connections, reading the topology and preparing: all of it. */
const CONNECT_LIMIT_MS = 20_000;
const READ_TIMEOUT_MS = 5000;
/** A server that is frozen never says goodbye, and a process that stops has 5 s for everything. */
const CLOSE_LIMIT_MS = 1000;
/** The driver's own default waits up to ten minutes for a host that is back. */
const RECONNECT_BASE_MS = 500;
const RECONNECT_MAX_MS = 5000;
const PAGE_ROWS = 2000;
const AGREEMENT_POLL_MS = 200;
/** Making a table takes a busy cluster longer than reading a row. */
const SCHEMA_CHANGE_LIMIT_MS = 30_000;

/**
 * Writes and reads at LOCAL_QUORUM: what a collector acknowledged is seen by every audit. Everything here is
 * idempotent, and only what is marked so is tried on the next host by the driver.
 */
const ALWAYS: QueryOptions = {
  prepare: true,
  isIdempotent: true,
  consistency: types.consistencies.localQuorum,
  serialConsistency: types.consistencies.serial,
};

/** One client of the driver, its options and its errors in our words. */
export class Connection {
  readonly where: string;
  readonly #options: ClientOptions;
  readonly #clock: Clock;
  readonly #log: Log;
  #client: Client | undefined;
  #endHosts: () => void = () => {};
  #closed = false;
  #reconnections = 0;

  constructor(address: CassandraAddress, clock: Clock, log: Log) {
    this.where = `Cassandra at ${address.contactPoints.map((host) => `${host}:${address.port}`).join(', ')}`;
    this.#options = clientOptions(address);
    this.#clock = clock;
    this.#log = log;
  }

  /** Grows each time that a host comes back: what was known of the servers may no longer hold. */
  get reconnections(): number {
    return this.#reconnections;
  }

  /** Rejects with STORE_UNREACHABLE or STORE_UNAUTHORISED; can be tried again. Lost connections heal by themselves. */
  async connect(): Promise<void> {
    const client = new Client(this.#options);
    client.on('hostDown', ({ address }) => this.#log.warn({ host: address }, `Cassandra host ${address} is down`));
    client.on('hostUp', ({ address }) => {
      this.#reconnections += 1;
      this.#log.info({ host: address }, `Cassandra host ${address} is up`);
    });
    const endHosts = cureHosts(client);
    this.#closed = false;
    const connecting = client.connect();
    try {
      await withDeadline(connecting, CONNECT_LIMIT_MS, `connecting to ${this.where}`, this.#clock);
      this.#client = client;
      this.#endHosts = endHosts;
    } catch (error) {
      await this.#shutdown(client, endHosts);
      // The driver shuts down only what is connected, and the attempt that was given up may still get there.
      void connecting.then(() => this.#shutdown(client, endHosts)).catch(() => {});
      throw storeFailure(withoutCode(error), this.where);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const client = this.#client;
    this.#client = undefined;
    if (client) await this.#shutdown(client, this.#endHosts);
  }

  async execute(query: string, params: unknown[] = [], options: QueryOptions = {}): Promise<types.ResultSet> {
    try {
      return await this.#connected().execute(query, params, { ...ALWAYS, ...options });
    } catch (error) {
      throw storeFailure(error, this.where);
    }
  }

  /** One statement, or an unlogged batch of several that must all lie in one partition. Throws the driver's error. */
  async write(statements: Statement[]): Promise<void> {
    const [first] = statements;
    if (statements.length === 1 && first) await this.#connected().execute(first.query, first.params, ALWAYS);
    else if (first) await this.#connected().batch(statements, { ...ALWAYS, logged: false });
  }

  /** All rows of a query in pages; no more than one page is held. */
  async *pages(query: string, params: unknown[], pageRows = PAGE_ROWS): AsyncGenerator<types.Row[]> {
    let pageState: string | undefined;
    do {
      const result = await this.execute(query, params, {
        fetchSize: pageRows,
        ...(pageState !== undefined && { pageState }),
      });
      if (result.rows.length > 0) yield result.rows;
      pageState = result.pageState ?? undefined;
    } while (pageState !== undefined);
  }

  /** Runs a statement that changes the schema and waits until every node has the change. */
  async changeSchema(query: string, deadlineMs: number): Promise<void> {
    try {
      // Never tried on another host by the driver: the first may still be at it, and two of one CREATE TABLE collide.
      const options = { prepare: false, isIdempotent: false, readTimeout: SCHEMA_CHANGE_LIMIT_MS };
      await this.#connected().execute(query, [], options);
      // The driver's typings leave this method out.
      const metadata = this.#connected().metadata as unknown as { checkSchemaAgreement(): Promise<boolean> };
      while (!(await metadata.checkSchemaAgreement())) {
        if (this.#clock.monotonicMs() > deadlineMs) {
          throw new ErichtError('SCHEMA_LOCKED', { what: `the nodes of ${this.where} do not agree on the schema` });
        }
        await sleep(this.#clock, AGREEMENT_POLL_MS);
      }
    } catch (error) {
      throw storeFailure(error, this.where);
    }
  }

  #connected(): Client {
    if (this.#client) return this.#client;
    if (this.#closed) throw new ErichtError('STOPPED', { what: `the connection to ${this.where} is closed` });
    throw new ErichtError('STORE_UNREACHABLE', { what: `${this.where} is not connected`, why: 'it was not started' });
  }

  async #shutdown(client: Client, endHosts: () => void): Promise<void> {
    try {
      const closing = client.shutdown();
      endHosts();
      await withDeadline(closing, CLOSE_LIMIT_MS, 'closing the connections', this.#clock);
    } catch (error) {
      this.#log.debug({}, `connections to ${this.where} were dropped: ${reasonOf(error)}`);
    }
  }
}

function clientOptions({ contactPoints, port, localDataCenter, tls, auth: login }: CassandraAddress): ClientOptions {
  return {
    contactPoints,
    localDataCenter,
    protocolOptions: { port },
    policies: {
      reconnection: new policies.reconnection.ExponentialReconnectionPolicy(RECONNECT_BASE_MS, RECONNECT_MAX_MS),
      // The servers stamp each write: stamped by a clock that is ahead, a row could not be written again until that
      // time has come. The typings leave null out, which means none.
      timestampGeneration: null as never,
    },
    socketOptions: { connectTimeout: CONNECT_TIMEOUT_MS, readTimeout: READ_TIMEOUT_MS },
    encoding: { useUndefinedAsUnset: true },
    // The driver takes any certificate unless told; `host` must not be here, it would replace the address dialled.
    ...(tls && { sslOptions: { ...tls, rejectUnauthorized: true } }),
    ...(login && { authProvider: new auth.PlainTextAuthProvider(login.username, login.password) }),
  };
}

/** A connect that ran out of time counts as unreachable, not as a deadline of the caller's. */
function withoutCode(error: unknown): unknown {
  return error instanceof ErichtError && error.code === 'DEADLINE_EXCEEDED' ? new Error(error.why) : error;
}
