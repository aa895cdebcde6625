import { KafkaAside } from '../../collector/aside/kafka.ts';
import { Collector } from '../../collector/collector.ts';
import { KafkaSource } from '../../collector/consume/kafka.ts';
import { CassandraStore } from '../../collector/store/cassandra/store.ts';
import { OnePartitionProducer } from '../../kafka/producer.ts';
import { systemClock as clock } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import { settingsFor } from '../helpers/kafka-records.ts';
import {
  type CassandraAddress,
  cassandraForTest,
  type KafkaAddress,
  kafkaForTest,
  randomKeyspace,
  randomName,
  type Teardown,
} from '../helpers/stack.ts';

export const RETENTION = { rawMs: 7 * 86_400_000 };

export interface Pipeline {
  kafka: KafkaAddress;
  cassandra: CassandraAddress;
  prefix: string;
  keyspace: string;
  store: CassandraStore;
  collector: Collector;
  producer: OnePartitionProducer;
}

/** A collector from the suite's Kafka to its Cassandra, under names of its own; stopped after the test. */
export async function startPipeline(t: Teardown): Promise<Pipeline> {
  const [kafka, cassandra] = [await kafkaForTest(t), await cassandraForTest(t)];
  const [prefix, keyspace] = [`${randomName('pipeline')}.`, randomKeyspace()];
  const settings = settingsFor(kafka.brokers);
  const common = { clock, log: silentLog };
  const producer = new OnePartitionProducer({ settings, ...common });
  const store = new CassandraStore({
    ...cassandra,
    keyspace,
    replication: 1,
    retention: RETENTION,
    migrate: true,
    ...common,
  });
  const collector = new Collector({
    source: new KafkaSource({ settings, groupId: `${prefix}collector`, topicPrefix: prefix, ...common }),
    store,
    aside: new KafkaAside({ producer, topicPrefix: prefix }),
    retention: RETENTION,
    ...common,
  });
  t.teardown(async () => {
    await collector.stop();
    await producer.stop();
  });
  await producer.start();
  await collector.start();
  return { kafka, cassandra, prefix, keyspace, store, collector, producer };
}
