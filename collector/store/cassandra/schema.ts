import { createHash } from 'node:crypto';
import type { Clock } from '../../../lib/clock.ts';
import { ErichtError, isRetryable } from '../../../lib/errors.ts';
import type { Log } from '../../../lib/log.ts';
import { readSchemaFiles, type SchemaFile, schemaTooNew, schemaTooOld, statementsOf } from '../schema-files.ts';
import type { Connection } from './connection.ts';
import { SchemaLease } from './lease.ts';

export interface SchemaSettings {
  keyspace: string;
  /** Copies in the local data centre, or per data centre by name. */
  replication: number | Record<string, number>;
  localDataCenter: string;
  rawMs: number;
}

/** For everything: waiting for the lease, the changes, agreement. */
const SCHEMA_LIMIT_MS = 120_000;

/** Time-window compaction works best with 20 to 30 windows in a table's life. */
const RAW_WINDOWS = 21;

export function checkKeyspaceName(keyspace: string): void {
  if (/^[a-z][a-z0-9_]{0,47}$/.test(keyspace)) return;
  throw new ErichtError('CONFIG_INVALID', {
    what: `stores.cassandra.keyspace is not a name: "${keyspace}"`,
    next: 'write lower-case letters, digits and "_", at most 48, a letter first',
  });
}

/** Makes or brings up to date the keyspace and its tables. Safe when several processes do it at once. */
export async function migrateSchema(
  connection: Connection,
  settings: SchemaSettings,
  clock: Clock,
  log: Log,
): Promise<void> {
  const files = await schemaFiles();
  if ((await schemaVersion(connection, settings.keyspace, files)) === files.length) return;
  const deadlineMs = clock.monotonicMs() + SCHEMA_LIMIT_MS;
  await makeGround(connection, settings, deadlineMs);
  const lease = new SchemaLease(connection, settings.keyspace, clock);
  await lease.take(deadlineMs);
  try {
    const found = await schemaVersion(connection, settings.keyspace, files);
    for (const file of files.slice(found)) {
      for (const statement of statementsOf(filled(file, settings))) {
        await lease.keep();
        await connection.changeSchema(statement, deadlineMs);
      }
      await lease.keep();
      const note = `INSERT INTO ${settings.keyspace}.schema_versions (component, version, name, applied_at) VALUES ('tables', ?, ?, ?)`;
      await connection.execute(note, [file.version, file.name, clock.now()]);
      log.info({ version: file.version }, `schema ${file.name} is applied in ${settings.keyspace}`);
    }
  } catch (error) {
    // A change whose answer is missing may still be under way; then the lease is left to end by itself.
    if (!isRetryable(error)) await lease.release();
    throw error;
  }
  await lease.release();
}

/** For a process that only reads: the tables must be there in the version it knows. Throws STORE_EMPTY if not. */
export async function checkSchema(connection: Connection, keyspace: string): Promise<void> {
  const files = await schemaFiles();
  const found = await schemaVersion(connection, keyspace, files);
  if (found === 0) {
    throw new ErichtError('STORE_EMPTY', {
      what: `there are no tables in keyspace ${keyspace} of ${connection.where}`,
      next: 'start a collector: it makes them',
    });
  }
  if (found < files.length) throw schemaTooOld(place(connection, keyspace), found, files.length);
}

/** 0 when there is nothing yet. Throws SCHEMA_TOO_NEW for a version that this process doesn't know. */
async function schemaVersion(connection: Connection, keyspace: string, files: SchemaFile[]): Promise<number> {
  const known = await connection.execute(
    "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ? AND table_name = 'schema_versions'",
    [keyspace],
  );
  if (known.rowLength === 0) return 0;
  const query = `SELECT version FROM ${keyspace}.schema_versions WHERE component = 'tables' LIMIT 1`;
  const version = (await connection.execute(query)).first()?.get('version') ?? 0;
  if (version > files.length) throw schemaTooNew(place(connection, keyspace), version, files.length);
  return version;
}

/**
 * What must be there before a lease can be taken. Two concurrent CREATE TABLE of one name can make two tables of it, so
 * these two get IDs that every process computes alike.
 */
async function makeGround(connection: Connection, settings: SchemaSettings, deadlineMs: number): Promise<void> {
  const { keyspace, localDataCenter } = settings;
  const replication =
    typeof settings.replication === 'number' ? { [localDataCenter]: settings.replication } : settings.replication;
  const copies = Object.entries(replication).map(([name, count]) => `'${name.replaceAll("'", "''")}': ${count}`);
  await connection.changeSchema(
    `CREATE KEYSPACE IF NOT EXISTS ${keyspace} WITH replication = {'class': 'NetworkTopologyStrategy', ${copies.join(', ')}}`,
    deadlineMs,
  );
  const table = (name: string, columns: string, more = '') =>
    connection.changeSchema(
      `CREATE TABLE IF NOT EXISTS ${keyspace}.${name} (${columns}) WITH ID = ${tableId(keyspace, name)}${more}`,
      deadlineMs,
    );
  await table('schema_lease', 'name text PRIMARY KEY, owner text');
  await table(
    'schema_versions',
    'component text, version int, name text, applied_at timestamp, PRIMARY KEY (component, version)',
    ' AND CLUSTERING ORDER BY (version DESC)',
  );
}

/** A UUID made of the names, in the form of version 5 (RFC 9562). */
function tableId(keyspace: string, table: string): string {
  const hex = createHash('sha256').update(`ericht/${keyspace}/${table}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function filled({ text }: SchemaFile, { keyspace, rawMs }: SchemaSettings): string {
  const values: Record<string, string> = {
    keyspace,
    raw_ttl_seconds: String(Math.ceil(rawMs / 1000)),
    raw_window_hours: String(Math.max(1, Math.ceil(rawMs / 3_600_000 / RAW_WINDOWS))),
  };
  return text.replace(/\{\{(\w+)\}\}/g, (mark, name: string) => values[name] ?? mark);
}

function schemaFiles(): Promise<SchemaFile[]> {
  return readSchemaFiles(new URL('./schema/', import.meta.url));
}

function place(connection: Connection, keyspace: string): string {
  return `keyspace ${keyspace} of ${connection.where}`;
}
