import { execFileSync, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { Client } from 'cassandra-driver';
import t, { type Test } from 'tap';
import { CassandraStore, type CassandraStoreOptions } from '../../../collector/store/cassandra/store.ts';
import { systemClock } from '../../../lib/clock.ts';
import { silentLog } from '../../../lib/log.ts';
import { cassandraForTest, freePort, randomKeyspace, tempDir } from '../../helpers/stack.ts';
import { goldenReport, placed, series } from './samples.ts';

const DAY_MS = 86_400_000;
const TABLES = ['boot_anchors', 'node_facts', 'node_health_by_node_date', 'node_latest', 'nodes_by_cluster'];

t.setTimeout(120_000);

function hasOpenssl(): boolean {
  return spawnSync('openssl', ['version'], { stdio: 'ignore' }).status === 0;
}

t.test('the schema in Cassandra', async (t) => {
  const address = await cassandraForTest(t);
  const { contactPoints, localDataCenter, port } = address;
  const judge = new Client({ contactPoints, localDataCenter, protocolOptions: { port } });
  await judge.connect();
  t.teardown(() => judge.shutdown());

  const newKeyspace = (t: Test) => {
    const keyspace = randomKeyspace('schema');
    t.teardown(() => judge.execute(`DROP KEYSPACE IF EXISTS ${keyspace}`));
    return keyspace;
  };
  const storeOn = (t: Test, keyspace: string, more: Partial<CassandraStoreOptions> = {}) => {
    const common = { ...address, replication: 1, retention: { rawMs: 7 * DAY_MS }, clock: systemClock, log: silentLog };
    const store = new CassandraStore({ ...common, keyspace, migrate: true, ...more });
    t.teardown(() => store.stop());
    return store;
  };

  await t.test('is made once by three stores that start together on nothing', async (t) => {
    const keyspace = newKeyspace(t);
    const stores = [1, 2, 3].map(() => storeOn(t, keyspace));
    await Promise.all(stores.map((store) => store.start()));
    const rows = series({ clusterId: 'c', count: 3, fromMs: Date.now() - 10_000 });
    await Promise.all(rows.map((row, index) => stores[index]!.writeReports([row])));
    for (const store of stores) {
      const query = { clusterId: 'c', nodeId: 'pi-01', fromMs: 0, toMs: Date.now() };
      t.equal((await store.reports(query, { order: 'oldest', limit: 9 })).length, 3);
    }
    const tables = await judge.execute(
      `SELECT table_name FROM system_schema.tables WHERE keyspace_name = '${keyspace}'`,
    );
    t.same(tables.rows.map((row) => row.table_name).sort(), [...TABLES, 'schema_lease', 'schema_versions'].sort());
    const versions = await judge.execute(`SELECT version, name FROM ${keyspace}.schema_versions`);
    t.same(
      versions.rows.map((row) => [row.version, row.name]),
      [[1, '001-first-tables.cql']],
    );
    t.equal((await judge.execute(`SELECT * FROM ${keyspace}.schema_lease`)).rowLength, 0, 'the lease is given back');
  });

  await t.test('waits for a holder of the lease that died, and takes over when it ends', async (t) => {
    const keyspace = newKeyspace(t);
    await storeOn(t, keyspace).start();
    await judge.execute(`TRUNCATE ${keyspace}.schema_versions`);
    await judge.execute(
      `INSERT INTO ${keyspace}.schema_lease (name, owner) VALUES ('schema', 'dead') IF NOT EXISTS USING TTL 3`,
    );
    const startedMs = systemClock.monotonicMs();
    await storeOn(t, keyspace).start();
    t.ok(systemClock.monotonicMs() - startedMs > 1500, 'it waited');
    t.equal((await judge.execute(`SELECT version FROM ${keyspace}.schema_versions`)).first()?.version, 1);
  });

  await t.test('of a newer version is left alone; of none is told to a process that only reads', async (t) => {
    const keyspace = newKeyspace(t);
    const missing = { code: 'STORE_EMPTY', message: new RegExp(`${keyspace}.*start a collector`, 'i') };
    await t.rejects(storeOn(t, keyspace, { migrate: false }).start(), missing);
    await storeOn(t, keyspace).start();
    await storeOn(t, keyspace, { migrate: false }).start();
    await judge.execute(`INSERT INTO ${keyspace}.schema_versions (component, version) VALUES ('tables', 47)`);
    const tooNew = { code: 'SCHEMA_TOO_NEW', message: /version 47.*up to 1/ };
    await t.rejects(storeOn(t, keyspace).start(), tooNew);
    await t.rejects(storeOn(t, keyspace, { migrate: false }).start(), tooNew);
  });

  await t.test('follows the retention, and each row lives as long as its age leaves it', async (t) => {
    const keyspace = newKeyspace(t);
    const store = storeOn(t, keyspace, { retention: { rawMs: 14 * DAY_MS } });
    await store.start();
    const options = await judge.execute(
      `SELECT default_time_to_live, compaction FROM system_schema.tables WHERE keyspace_name = '${keyspace}' AND table_name = 'node_health_by_node_date'`,
    );
    t.equal(options.first()?.default_time_to_live, 14 * 86_400);
    t.match(options.first()?.compaction, { class: /TimeWindow/, compaction_window_size: '16' });
    const now = Date.now();
    await store.writeReports([
      placed(goldenReport(0, now - 13 * DAY_MS, { clusterId: 'c' })),
      placed(goldenReport(1, now, { clusterId: 'c' })),
      placed(goldenReport(2, now + DAY_MS / 2, { clusterId: 'c' })),
    ]);
    const ttls = await judge.execute(`SELECT seq, ttl(uptime_ms) AS left FROM ${keyspace}.node_health_by_node_date`);
    for (const row of ttls.rows) {
      const expected = { 0: 1, 1: 14, 2: 14.5 }[Number(row.seq)]! * 86_400;
      t.ok(Math.abs(row.left - expected) < 30, `seq ${row.seq} has ${row.left} s left`);
    }
    const nulls = await judge.execute(`SELECT goodbye, detail FROM ${keyspace}.node_health_by_node_date LIMIT 1`);
    t.equal(nulls.first()?.goodbye, null, 'absent stays absent');
  });

  await t.test('that was dropped under a running store makes writes wait, not dead letters', async (t) => {
    const keyspace = newKeyspace(t);
    const store = storeOn(t, keyspace);
    await store.start();
    const rows = series({ clusterId: 'c', count: 5, fromMs: Date.now() - 10_000 });
    await store.writeReports(rows);
    await judge.execute(`DROP KEYSPACE ${keyspace}`);
    await t.rejects(store.writeReports(rows), { name: 'ErichtError', retryable: true });
  });

  await t.test('is not touched under a name that is no keyspace', async (t) => {
    await t.rejects(storeOn(t, 'a; DROP KEYSPACE x').start(), { code: 'CONFIG_INVALID' });
  });

  await t.test('is asked for again after a start that found no server', async (t) => {
    const nobody = await freePort();
    const store = storeOn(t, newKeyspace(t), { port: nobody });
    const expected = { code: 'STORE_UNREACHABLE', retryable: true, message: new RegExp(`127.0.0.1:${nobody}`) };
    await t.rejects(store.start(), expected);
    await t.rejects(store.start(), expected, 'and can be tried again');
    await t.rejects(store.writeReports(series({ clusterId: 'c', count: 1, fromMs: 0 })), { code: 'STORE_UNREACHABLE' });
  });

  await t.test(
    'is never reached through a certificate that nobody vouched for',
    { skip: hasOpenssl() ? false : 'needs openssl' },
    async (t) => {
      const folder = await tempDir(t);
      const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
      const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')];
      execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...subject, ...files], {
        stdio: 'ignore',
      });
      let strangers = 0;
      const credentials = {
        key: await readFile(join(folder, 'key.pem')),
        cert: await readFile(join(folder, 'cert.pem')),
      };
      const stranger = createServer(credentials, (socket) => {
        socket.on('error', () => {});
        socket.on('data', () => {
          strangers += 1;
          socket.destroy();
        });
      });
      const at = await freePort();
      await new Promise<void>((resolve) => stranger.listen(at, '127.0.0.1', resolve));
      t.teardown(() => stranger.close());
      const store = storeOn(t, newKeyspace(t), { port: at, tls: {} });
      await t.rejects(store.start(), { code: 'STORE_UNREACHABLE', message: /self-signed/ });
      t.equal(strangers, 0, 'nothing was said to it');
    },
  );
});
