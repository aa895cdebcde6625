import { once } from 'node:events';
import { connect } from 'node:net';
import { Client } from 'cassandra-driver';
import kafkajs from 'kafkajs';
import { test } from 'tap';
import { systemClock } from '../../../lib/clock.ts';
import { brokersReady, cassandraReady } from '../../../provision/stack/probe.ts';
import { ownCassandra, ownKafka, randomName, until } from '../../helpers/stack.ts';
import { within } from '../../helpers/until.ts';

process.env.KAFKAJS_NO_PARTITIONER_WARNING = '1';

/** The clients here are those of the makers, and not each of their waits ends by itself. */
function inTime<T>(what: string, work: Promise<T>, limitMs = 30_000): Promise<T> {
  return within(limitMs, work, () => `${what} took more than ${limitMs} ms`);
}

test('what Kafka acknowledged is there after kill -9 and a restart on the same port', async (t) => {
  const kafka = await ownKafka(t);
  const client = new kafkajs.Kafka({ brokers: kafka.brokers, logLevel: kafkajs.logLevel.NOTHING });
  const admin = client.admin();
  const producer = client.producer();
  t.teardown(() => inTime('disconnecting', Promise.all([admin.disconnect(), producer.disconnect()])));
  const topic = randomName('kept');
  await inTime('connecting', Promise.all([admin.connect(), producer.connect()]));
  await inTime('making the topic', admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true }));
  await inTime('sending', producer.send({ topic, acks: -1, messages: [{ value: 'a' }, { value: 'b' }] }));
  const [before] = kafka.pids;
  await kafka.kill();
  t.same(kafka.pids, [], 'the process is gone');
  await kafka.restart();
  t.not(kafka.pids[0], before, 'another process runs');
  const offsets = await until('the topic has its leader', async () =>
    admin.fetchTopicOffsets(topic).catch(() => undefined),
  );
  t.equal(offsets[0]?.high, '2');
});

test('one of three brokers may die, and comes back', async (t) => {
  const kafka = await ownKafka(t, { nodes: 3 });
  t.equal(kafka.brokers.length, 3);
  const [host, port] = kafka.brokers[0]!.split(':') as [string, string];
  const ready = () => brokersReady(host, Number(port), systemClock);
  t.equal(await ready(), 3);
  await kafka.kill(1);
  t.equal(kafka.pids.length, 2);
  await until('the dead broker is no longer named', async () => (await ready()) === 2);
  await kafka.restart(1);
  await until('all three are named again', async () => (await ready()) === 3);
});

test('what Cassandra acknowledged is there after kill -9, and a paused one keeps its connections open', async (t) => {
  const cassandra = await ownCassandra(t);
  const { contactPoints, port, localDataCenter } = cassandra;
  const open = () => new Client({ contactPoints: contactPoints.map((host) => `${host}:${port}`), localDataCenter });
  const first = open();
  await first.execute(`CREATE KEYSPACE k WITH replication = {'class':'SimpleStrategy','replication_factor':1}`);
  await first.execute('CREATE TABLE k.kept (id int PRIMARY KEY)');
  for (let id = 0; id < 100; id += 1) await first.execute(`INSERT INTO k.kept (id) VALUES (${id})`);
  await inTime('closing the first client', first.shutdown());
  await cassandra.kill();
  await cassandra.restart();
  const second = open();
  t.teardown(() => inTime('closing the second client', second.shutdown()));
  const { rows } = await second.execute('SELECT id FROM k.kept');
  t.equal(rows.length, 100);

  cassandra.pause();
  const socket = connect(port, contactPoints[0]);
  t.teardown(() => socket.destroy());
  await inTime('connecting to the paused server', once(socket, 'connect'));
  const answers = () => cassandraReady(contactPoints[0]!, port, systemClock);
  t.ok(await until('it takes connections and answers nobody', async () => !(await answers())));
  cassandra.resume();
  t.ok(await until('it answers again', answers));
});
