import t from 'tap';
import { KafkaSink } from '../../../agent/publish/kafka-sink.ts';
import { KafkaAdmin } from '../../../kafka/admin.ts';
import { OnePartitionProducer } from '../../../kafka/producer.ts';
import { scanTopic } from '../../../kafka/scan.ts';
import type { FetchedRecord } from '../../../kafka/types.ts';
import { systemClock as clock } from '../../../lib/clock.ts';
import { silentLog as log } from '../../../lib/log.ts';
import type { OutgoingRecord } from '../../../telemetry/link.ts';
import { topicSpecs } from '../../../telemetry/topics.ts';
import { settingsFor } from '../../helpers/kafka-records.ts';
import { kafkaForTest, randomName } from '../../helpers/stack.ts';

t.setTimeout(120_000);
const { brokers } = await kafkaForTest(t);
const settings = settingsFor(brokers);

const outgoing = (kind: OutgoingRecord['kind'], nodeId: string, value: string | Buffer): OutgoingRecord => ({
  kind,
  clusterId: 'case',
  nodeId,
  value: Buffer.from(value),
  headers: { 'ericht-sent-uptime-ms': '12' },
});

async function read(topic: string): Promise<FetchedRecord[]> {
  const records: FetchedRecord[] = [];
  for await (const batch of scanTopic(settings, topic, { clock, log })) records.push(...batch);
  return records;
}

t.test('reports and facts go to their topics under the key of their node, in order', { timeout: 60_000 }, async (t) => {
  const prefix = `${randomName('sink')}.`;
  const topics = topicSpecs(prefix);
  const sink = new KafkaSink({ producer: new OnePartitionProducer({ settings, clock, log }), topicPrefix: prefix });
  t.teardown(() => sink.stop());
  await sink.start();
  const admin = new KafkaAdmin({ settings, clock, log });
  await admin.ensureTopics([topics.reports, topics.facts]);
  await admin.stop();
  await sink.send([outgoing('report', 'a', '0'), outgoing('report', 'a', '1')]);
  await sink.send([outgoing('report', 'b', '2')]);
  await sink.send([outgoing('facts', 'a', 'facts')]);
  await t.rejects(sink.send([outgoing('report', 'a', Buffer.alloc(2_000_000))]), { code: 'KAFKA_RECORD_REFUSED' });
  await sink.send([outgoing('report', 'a', '3')]);

  const reports = await read(topics.reports.name);
  const ofA = reports.filter(({ key }) => key?.toString() === 'case/a');
  t.same(
    ofA.map(({ value }) => value?.toString()),
    ['0', '1', '3'],
  );
  t.equal(new Set(ofA.map(({ partition }) => partition)).size, 1);
  t.same(ofA[0]?.headers, { 'ericht-sent-uptime-ms': '12' });
  t.match(await read(topics.facts.name), [{ key: Buffer.from('case/a'), value: Buffer.from('facts') }]);
});
