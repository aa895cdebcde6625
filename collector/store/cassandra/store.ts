import type { Clock } from '../../../lib/clock.ts';
import { withDeadline } from '../../../lib/deadline.ts';
import { ErichtError, reasonOf } from '../../../lib/errors.ts';
import type { Log } from '../../../lib/log.ts';
import type { PlacedReport } from '../../record.ts';
import type {
  LatestReport,
  ReportQuery,
  Retention,
  RowKey,
  RowOutcome,
  StoredFacts,
  StoredReport,
  TelemetryStore,
} from '../port.ts';
import { BootAnchors } from './anchors.ts';
import { type CassandraAddress, Connection } from './connection.ts';
import { LatestWriter } from './latest-writer.ts';
import { NodeRegistry } from './node-registry.ts';
import { ReportReader } from './report-reader.ts';
import { ReportWriter } from './report-writer.ts';
import { checkKeyspaceName, checkSchema, migrateSchema } from './schema.ts';
import { ServerTime } from './server-time.ts';

export interface CassandraStoreOptions extends CassandraAddress {
  keyspace: string;
  /** Copies of every row: a number for the local data centre, or per data centre by name. Used when it is made. */
  replication: number | Record<string, number>;
  retention: Retention;
  clock: Clock;
  log: Log;
  /** Makes keyspace and tables and brings them up to date; without it they must be there (a process that reads). */
  migrate?: boolean;
}

/** What is still under way then was not acknowledged, so it comes again. */
const STOP_LIMIT_MS = 1000;

/** Everything that belongs to one connected life of the store. */
interface Parts {
  connection: Connection;
  time: ServerTime;
  writer: ReportWriter;
  latest: LatestWriter;
  anchors: BootAnchors;
  reader: ReportReader;
}

/**
 * The store on Cassandra. start() fails with STORE_UNREACHABLE while there is no server and may be called again; a
 * connection that is lost later heals by itself, and until then calls reject with a retryable error.
 */
export class CassandraStore implements TelemetryStore {
  readonly kind = 'cassandra';
  readonly name = 'store';
  readonly #options: CassandraStoreOptions;
  readonly #underWay = new Set<Promise<unknown>>();
  #parts: Parts | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: CassandraStoreOptions) {
    this.#options = options;
  }

  /** Throws STORE_UNREACHABLE, STORE_UNAUTHORISED, SCHEMA_TOO_NEW, SCHEMA_LOCKED, or without `migrate` STORE_EMPTY. */
  async start(): Promise<void> {
    const { keyspace, replication, localDataCenter, retention, clock, log, migrate = false } = this.#options;
    checkKeyspaceName(keyspace);
    this.#stopping = undefined;
    const connection = new Connection(this.#options, clock, log);
    const time = new ServerTime(connection, clock);
    await connection.connect();
    try {
      const settings = { keyspace, replication, localDataCenter, rawMs: retention.rawMs };
      if (migrate) await migrateSchema(connection, settings, clock, log);
      else await checkSchema(connection, keyspace);
      await time.now();
      if (this.#stopping) throw new ErichtError('STOPPED', { what: 'the store was stopped while it started' });
    } catch (error) {
      await connection.close();
      throw error;
    }
    const registry = new NodeRegistry(connection, keyspace);
    this.#parts = {
      connection,
      time,
      writer: new ReportWriter(connection, keyspace, registry, retention.rawMs),
      latest: new LatestWriter(connection, keyspace, registry),
      anchors: new BootAnchors(connection, keyspace),
      reader: new ReportReader(connection, keyspace),
    };
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#close();
    return this.#stopping;
  }

  writeReports(rows: PlacedReport[]): Promise<RowOutcome[]> {
    return this.#tracked(async ({ writer, time }) => writer.write(rows, await time.now()));
  }

  writeLatest(rows: PlacedReport[]): Promise<void> {
    return this.#tracked(({ latest }) => latest.writeReports(rows));
  }

  writeFacts(rows: StoredFacts[]): Promise<void> {
    return this.#tracked(({ latest }) => latest.writeFacts(rows));
  }

  bootAnchor(boot: { clusterId: string; nodeId: string; bootId: string }, proposedAt: number): Promise<number> {
    return this.#tracked(({ anchors }) => anchors.anchor(boot.clusterId, boot.nodeId, boot.bootId, proposedAt));
  }

  async clusters(): Promise<string[]> {
    const query = `SELECT DISTINCT cluster_id FROM ${this.#options.keyspace}.nodes_by_cluster`;
    return (await this.#column(query, [], 'cluster_id')).sort();
  }

  nodes(clusterId: string): Promise<string[]> {
    const query = `SELECT node_id FROM ${this.#options.keyspace}.nodes_by_cluster WHERE cluster_id = ?`;
    return this.#column(query, [clusterId], 'node_id');
  }

  async latest(clusterId: string): Promise<LatestReport[]> {
    const query = `SELECT latest FROM ${this.#options.keyspace}.node_latest WHERE cluster_id = ?`;
    return (await this.#column(query, [clusterId], 'latest')).map((json) => JSON.parse(json) as LatestReport);
  }

  async facts(clusterId: string): Promise<StoredFacts[]> {
    const query = `SELECT latest FROM ${this.#options.keyspace}.node_facts WHERE cluster_id = ?`;
    return (await this.#column(query, [clusterId], 'latest')).map((json) => JSON.parse(json) as StoredFacts);
  }

  async reports(query: ReportQuery, { order, limit }: { order: 'oldest' | 'newest'; limit: number }) {
    return this.#started().reader.reports(await this.#young(query), order, limit) as Promise<StoredReport[]>;
  }

  async *keys(query: ReportQuery): AsyncGenerator<RowKey[]> {
    yield* this.#started().reader.keys(await this.#young(query));
  }

  async keptSinceMs(): Promise<number> {
    return (await this.nowMs()) - this.#options.retention.rawMs;
  }

  async nowMs(): Promise<number> {
    return this.#started().time.now();
  }

  /** Rows past the retention are not answered, whatever their time to live was rounded to. */
  async #young(query: ReportQuery): Promise<ReportQuery> {
    return { ...query, fromMs: Math.max(query.fromMs, (await this.keptSinceMs()) + 1) };
  }

  async #column(query: string, params: unknown[], name: string): Promise<string[]> {
    const values: string[] = [];
    for await (const rows of this.#started().connection.pages(query, params)) {
      for (const row of rows) values.push(String(row[name]));
    }
    return values;
  }

  /** Writes under way are finished before the connection is closed. */
  async #tracked<T>(work: (parts: Parts) => Promise<T>): Promise<T> {
    const promise = work(this.#started());
    this.#underWay.add(promise);
    try {
      return await promise;
    } finally {
      this.#underWay.delete(promise);
    }
  }

  async #close(): Promise<void> {
    const { clock, log } = this.#options;
    try {
      await withDeadline(Promise.allSettled(this.#underWay), STOP_LIMIT_MS, 'the last writes', clock);
    } catch (error) {
      log.warn({}, `writes were still under way when the store closed: ${reasonOf(error)}`);
    }
    await this.#parts?.connection.close();
  }

  #started(): Parts {
    if (this.#stopping) throw new ErichtError('STOPPED', { what: 'the store was stopped' });
    if (this.#parts) return this.#parts;
    const what = `Cassandra at ${this.#options.contactPoints.join(', ')} is not connected`;
    throw new ErichtError('STORE_UNREACHABLE', { what, why: 'the store was not started' });
  }
}
