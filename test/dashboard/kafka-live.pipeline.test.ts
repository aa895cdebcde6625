import { type Test, test } from 'tap';
import { KafkaLive } from '../../dashboard/server/kafka-live.ts';
import { KafkaAdmin } from '../../kafka/admin.ts';
import { OnePartitionProducer } from '../../kafka/producer.ts';
import { systemClock } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import { encode } from '../../telemetry/codec.ts';
import type { Facts } from '../../telemetry/facts.ts';
import type { Report } from '../../telemetry/report.ts';
import { recordKey, topicSpecs } from '../../telemetry/topics.ts';
import { plainAdmin, settingsFor } from '../helpers/kafka-records.ts';
import { kafkaForTest, randomName, until } from '../helpers/stack.ts';
import { boardReport, factsOf } from './demo-cluster.ts';

async function setUp(t: Test) {
  const { brokers } = await kafkaForTest(t);
  const settings = settingsFor(brokers);
  const topicPrefix = `${randomName('live')}.`;
  const topics = topicSpecs(topicPrefix);
  const parts = { settings, clock: systemClock, log: silentLog };
  const admin = new KafkaAdmin(parts);
  const producer = new OnePartitionProducer(parts);
  t.teardown(async () => {
    await producer.stop();
    await admin.stop();
  });
  await admin.ensureTopics([topics.reports, topics.facts]);
  await producer.start();
  const send = async (what: Report | Facts, value = encode(what)) => {
    const topic = 'seq' in what ? topics.reports.name : topics.facts.name;
    await producer.send(topic, { key: recordKey(what.clusterId, what.nodeId) }, [{ value }]);
  };
  const seen: { reports: Report[]; facts: Facts[] } = { reports: [], facts: [] };
  const live = new KafkaLive({ ...parts, topicPrefix, collectorGroupId: `${topicPrefix}collector` });
  t.teardown(() => live.stop());
  const start = () =>
    live.start({
      report: ({ report }) => seen.reports.push(report),
      facts: (facts) => seen.facts.push(facts),
    });
  return { brokers, topicPrefix, live, start, send, seen };
}

test('new reports and all known facts are shown, old reports and broken records are not', async (t) => {
  const { live, start, send, seen } = await setUp(t);
  const now = systemClock.now();
  await send(factsOf(boardReport('pi-01', 0, now)));
  await send(boardReport('pi-01', 0, now));
  t.equal(live.pipeline().readable, false, 'not before it reads');
  await start();
  await send(boardReport('pi-01', 1, now), Buffer.from('{"broken'));
  await send(boardReport('pi-01', 2, now));
  await until('report and facts are shown', () => seen.reports.length > 0 && seen.facts.length > 0);
  t.same(
    seen.reports.map(({ seq }) => seq),
    [2],
  );
  t.match(seen.facts, [{ nodeId: 'pi-01', model: 'Raspberry Pi 4 Model B Rev 1.5' }]);
  await until('the brokers are known', () => live.pipeline().brokersOnline);
  t.match(live.pipeline(), { transport: 'kafka', readable: true, brokersOnline: 1, brokersExpected: 1 });
  t.notOk('collectorLag' in live.pipeline(), 'a group that has committed nothing has no lag to show');
});

test('the group of a dashboard is gone after its stop', async (t) => {
  const { brokers, topicPrefix, live, start, send, seen } = await setUp(t);
  const admin = await plainAdmin(t, brokers);
  const groups = async () => (await admin.listGroups()).groups.filter(({ groupId }) => groupId.startsWith(topicPrefix));
  await start();
  await send(boardReport('pi-01', 0, systemClock.now()));
  await until('it reads', () => seen.reports.length > 0);
  t.equal((await groups()).length, 1);
  await live.stop();
  t.same(await groups(), []);
});
