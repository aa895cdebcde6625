import t from 'tap';
import { Connection } from '../../../collector/store/cassandra/connection.ts';
import { CassandraStore } from '../../../collector/store/cassandra/store.ts';
import { sleep, systemClock } from '../../../lib/clock.ts';
import { silentLog } from '../../../lib/log.ts';
import { ownCassandra, until } from '../../helpers/stack.ts';
import { series } from './samples.ts';

t.setTimeout(400_000);

t.test('a store whose Cassandra goes away and comes back', async (t) => {
  const server = await ownCassandra(t);
  const { contactPoints, port, localDataCenter } = server;
  const warnings: string[] = [];
  const log = { ...silentLog, warn: (_: object, message: string) => warnings.push(message) };
  const common = { contactPoints, port, localDataCenter, replication: 1, keyspace: 'ericht', clock: systemClock, log };
  const store = new CassandraStore({ ...common, retention: { rawMs: 86_400_000 }, migrate: true });
  t.teardown(() => store.stop());
  await store.start();
  const rows = series({ clusterId: 'c', count: 200, fromMs: Date.now() - 600_000 });
  const stored = async () => {
    const query = { clusterId: 'c', nodeId: 'pi-01', fromMs: 0, toMs: Number.MAX_SAFE_INTEGER };
    return (await store.reports(query, { order: 'oldest', limit: 1000 })).length;
  };
  const write = () => store.writeReports(rows).catch(() => undefined);
  await store.writeReports(rows.slice(0, 50));

  await t.test('answers with a retryable error while it hangs, and goes on by itself', async (t) => {
    server.pause();
    const startedMs = systemClock.monotonicMs();
    try {
      await t.rejects(store.writeReports(rows), { name: 'ErichtError', retryable: true });
      await t.rejects(store.latest('c'), { name: 'ErichtError', retryable: true });
      t.ok(systemClock.monotonicMs() - startedMs < 25_000, 'under a deadline');
    } finally {
      server.resume();
    }
    await until('a write goes through', write, { limitMs: 60_000 });
    t.equal(await stored(), 200);
  });

  await t.test('keeps what was acknowledged when it is killed, and goes on after its restart', async (t) => {
    await server.kill();
    await t.rejects(store.writeReports(rows), { name: 'ErichtError', retryable: true });
    for (let round = 0; round < 50; round += 1) await write();
    await server.restart();
    await until('a write goes through', write, { limitMs: 60_000 });
    t.equal(await stored(), 200);
    t.ok(warnings.length < 20, `${warnings.length} warnings`);
  });

  await t.test('and once all is closed, nothing is left that would keep the process', async (t) => {
    await store.stop();
    const holds = () => process.getActiveResourcesInfo().filter((kind) => /^(Timeout|TCPSocketWrap)$/.test(kind));
    const before = holds().length;
    // Many: which of the driver's two ways back comes first is left to chance.
    const connections = Array.from({ length: 24 }, () => new Connection(server, systemClock, silentLog));
    t.teardown(() => Promise.all(connections.map((connection) => connection.close())));
    const ask = (connection: Connection) => connection.execute('SELECT key FROM system.local');
    const answered = () => Promise.all(connections.map(ask)).catch(() => undefined);
    await Promise.all(connections.map((connection) => connection.connect()));
    await server.kill();
    t.notOk(await answered());
    await server.restart();
    await until('all answer again', answered, { limitMs: 60_000 });
    await server.kill();
    t.notOk(await answered());
    await server.restart();
    const closeAt = async (connection: Connection, delayMs: number) => {
      await sleep(systemClock, delayMs);
      await connection.close();
    };
    // While they reconnect, each of them at another moment.
    await Promise.all(connections.map((connection, index) => closeAt(connection, index * 50)));
    await until('no timer and no connection is left', () => holds().length <= before, { limitMs: 15_000 });
    t.ok(holds().length <= before, `${before} before, afterwards: ${holds()}`);
  });
});
