import { Client } from 'cassandra-driver';
import { CassandraStore } from '../../../collector/store/cassandra/store.ts';
import { systemClock } from '../../../lib/clock.ts';
import { silentLog } from '../../../lib/log.ts';
import { cassandraForTest, randomKeyspace } from '../../helpers/stack.ts';
import { conformance, RAW_MS } from './conformance.ts';

conformance(async (t) => {
  const address = await cassandraForTest(t);
  const keyspace = randomKeyspace('conformance');
  const options = { ...address, keyspace, replication: 1, retention: { rawMs: RAW_MS }, clock: systemClock };
  const store = new CassandraStore({ ...options, log: silentLog, migrate: true });
  const { contactPoints, localDataCenter, port } = address;
  const judge = new Client({ contactPoints, localDataCenter, protocolOptions: { port } });
  await judge.connect();
  t.teardown(async () => {
    await store.stop();
    await judge.execute(`DROP KEYSPACE IF EXISTS ${keyspace}`);
    await judge.shutdown();
  });
  await store.start();
  const query = `SELECT count(*) FROM ${keyspace}.node_health_by_node_date WHERE cluster_id = ? ALLOW FILTERING`;
  return {
    store,
    countRows: async (clusterId) =>
      Number((await judge.execute(query, [clusterId], { prepare: true })).first()?.get(0)),
  };
});
