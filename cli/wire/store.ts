import type { AsideReader, AsideStore, TelemetryStore } from '../../collector/store/port.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import type { Settings } from '../settings.ts';
import { readSecret, readTls } from './files.ts';

export interface StoreOptions {
  /** Only a collector writes, and brings the schema up to date. */
  access: 'write' | 'read';
  clock: Clock;
  log: Log;
}

/** The store as configured, and where records that can't become rows lie if it keeps them itself. */
export interface WiredStore {
  store: TelemetryStore;
  /** SQLite keeps dead letters and overflow in a table; with Cassandra they are topics. */
  aside: (AsideStore & AsideReader) | undefined;
  /** Deletes what is too old or too much; stores that do so by themselves have none. */
  maintain: (() => Promise<void>) | undefined;
  /** Where the data lies, for a person. */
  place: string;
}

/** Loads only the driver that is needed. Nothing is opened yet. */
export async function makeStore(settings: Settings, { access, clock, log }: StoreOptions): Promise<WiredStore> {
  const { config, retention, dataDir } = settings;
  if (config.store === 'sqlite') {
    const { SqliteStore } = await import('../../collector/store/sqlite/store.ts');
    const store = new SqliteStore({
      directory: dataDir,
      retention,
      maxBytes: settings.sqliteMaxBytes,
      clock,
      log,
      readOnly: access === 'read',
    });
    const maintain = async () => {
      await store.maintain();
    };
    return { store, aside: store, maintain, place: dataDir };
  }
  const { CassandraStore } = await import('../../collector/store/cassandra/store.ts');
  const { contactPoints, port, localDataCenter, keyspace, replication, username, passwordFile, tls } =
    config.stores.cassandra;
  const password = passwordFile && readSecret(passwordFile, 'stores.cassandra.passwordFile');
  const store = new CassandraStore({
    contactPoints,
    port,
    localDataCenter,
    keyspace,
    replication,
    retention,
    tls: readTls(tls, 'stores.cassandra.tls'),
    auth: username !== undefined && password ? { username, password } : undefined,
    clock,
    log,
    migrate: access === 'write',
  });
  return {
    store,
    aside: undefined,
    maintain: undefined,
    place: `Cassandra at ${contactPoints.join(', ')}, keyspace ${keyspace}`,
  };
}
