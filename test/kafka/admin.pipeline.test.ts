import { test } from 'tap';
import { KafkaAdmin } from '../../kafka/admin.ts';
import { OnePartitionProducer } from '../../kafka/producer.ts';
import { systemClock as clock } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import { topicSpecs } from '../../telemetry/topics.ts';
import { makeTopic, plainAdmin, recordingLog, settingsFor } from '../helpers/kafka-records.ts';
import { freePort, kafkaForTest, randomName, type Teardown } from '../helpers/stack.ts';

function adminFor(t: Teardown, brokers: string[]): KafkaAdmin {
  const admin = new KafkaAdmin({ settings: settingsFor(brokers), clock, log: silentLog });
  t.teardown(() => admin.stop());
  return admin;
}

test('the topics of the contract are made with their settings, by two collectors at the same time', async (t) => {
  const { brokers } = await kafkaForTest(t);
  const specs = Object.values(topicSpecs(`${randomName('t')}.`));
  const [one, two] = [adminFor(t, brokers), adminFor(t, brokers)];
  await Promise.all([one.ensureTopics(specs), two.ensureTopics(specs)]);
  await one.ensureTopics(specs);

  const judge = await plainAdmin(t, brokers);
  const { topics } = await judge.fetchTopicMetadata({ topics: specs.map(({ name }) => name) });
  for (const spec of specs) {
    const found = topics.find(({ name }) => name === spec.name);
    t.equal(found?.partitions.length, spec.partitions, spec.name);
    const { resources } = await judge.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: 2, name: spec.name, configNames: Object.keys(spec.settings) }],
    });
    const entries = resources[0]!.configEntries.map(({ configName, configValue }) => [configName, configValue]);
    t.same(Object.fromEntries(entries), spec.settings);
  }
});

test('a topic with another number of partitions is refused with both numbers and is left as it is', async (t) => {
  const { brokers } = await kafkaForTest(t);
  const name = await makeTopic(brokers, 3);
  const admin = adminFor(t, brokers);
  const error = await admin.ensureTopics([{ name, partitions: 6, settings: {} }]).catch((thrown) => thrown);
  t.match(error, { code: 'KAFKA_TOPIC_UNSUITABLE', retryable: false, exitCode: 2 });
  t.match(error.message, new RegExp(`${name} has 3 partitions, it needs 6`));
  t.match(error.next, /prefix/);
  t.equal((await admin.endOffsets(name)).length, 3);
});

test("a topic that trusts the sender's clock is refused", async (t) => {
  const { brokers } = await kafkaForTest(t);
  const name = await makeTopic(brokers, 1, { 'message.timestamp.type': 'CreateTime' }).catch((thrown) => thrown);
  t.type(name, 'string', 'asked for, it is made');
  const settings = { 'message.timestamp.type': 'LogAppendTime' };
  const error = await adminFor(t, brokers)
    .ensureTopics([{ name, partitions: 1, settings }])
    .catch((thrown) => thrown);
  t.match(error, { code: 'KAFKA_TOPIC_UNSUITABLE' });
  t.match(error.message, /message\.timestamp\.type=CreateTime, it needs LogAppendTime/);
});

test('a topic that compacts or takes less than it should is used, and told', async (t) => {
  const { brokers } = await kafkaForTest(t);
  const name = await makeTopic(brokers, 1, { 'cleanup.policy': 'delete', 'max.message.bytes': '1000' });
  const log = recordingLog();
  const admin = new KafkaAdmin({ settings: settingsFor(brokers), clock, log });
  t.teardown(() => admin.stop());
  const settings = { 'cleanup.policy': 'compact', 'max.message.bytes': '1048576' };
  await admin.ensureTopics([{ name, partitions: 1, settings }]);
  const told = log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message);
  t.equal(told.length, 2);
  t.match(told[0], `${name} has cleanup.policy=delete, it is made with compact`);
  t.match(told[1], `${name} has max.message.bytes=1000`);
});

test('lag counts what a group has not committed, and is unknown for a group that never did', async (t) => {
  const { brokers } = await kafkaForTest(t);
  const topic = await makeTopic(brokers, 2);
  const groupId = randomName('group');
  const admin = adminFor(t, brokers);
  const producer = new OnePartitionProducer({ settings: settingsFor(brokers), clock, log: silentLog });
  t.teardown(() => producer.stop());
  const records = Array.from({ length: 10 }, (_, n) => ({ value: Buffer.from(String(n)) }));
  await producer.send(topic, { partition: 0 }, records);
  t.equal(await admin.lag(groupId, topic), undefined);
  const judge = await plainAdmin(t, brokers);
  await judge.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: '4' }] });
  t.equal(await admin.lag(groupId, topic), 6);
  await producer.send(topic, { partition: 1 }, records);
  t.equal(await admin.lag(groupId, topic), 16);
});

test('the offset of a time is that of the first record appended then, or the end', async (t) => {
  const { brokers } = await kafkaForTest(t);
  const topic = await makeTopic(brokers);
  const admin = adminFor(t, brokers);
  const producer = new OnePartitionProducer({ settings: settingsFor(brokers), clock, log: silentLog });
  t.teardown(() => producer.stop());
  await producer.send(topic, { partition: 0 }, [{ value: null }]);
  t.same(await admin.offsetsAt(topic, clock.now() - 3_600_000), [{ partition: 0, offset: '0' }]);
  t.same(await admin.offsetsAt(topic, clock.now() + 3_600_000), [{ partition: 0, offset: '1' }]);
});

test('a group that does not exist counts as deleted', async (t) => {
  const { brokers } = await kafkaForTest(t);
  await t.resolves(adminFor(t, brokers).deleteGroup(randomName('never')));
});

test('brokers are counted; without Kafka a question rejects within its time', async (t) => {
  const { brokers } = await kafkaForTest(t);
  const { online, ids } = await adminFor(t, brokers).brokers();
  t.equal(online, ids.length);
  t.ok(online >= 1);
  const away = adminFor(t, [`127.0.0.1:${await freePort()}`]);
  t.match(await away.brokers().catch((thrown) => thrown), { code: 'KAFKA_UNREACHABLE', exitCode: 3 });
});
