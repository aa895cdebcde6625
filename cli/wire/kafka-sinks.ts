import { KafkaSink } from '../../agent/publish/kafka-sink.ts';
import { OnePartitionProducer } from '../../kafka/producer.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import type { RecordSink } from '../../telemetry/link.ts';
import type { Settings } from '../settings.ts';
import { kafkaSettingsOf } from './kafka.ts';

/** Each agent has a producer of its own: one send at a time, and none waits for another's. */
export function kafkaSinks(settings: Settings, { clock, log }: { clock: Clock; log: Log }): () => RecordSink {
  const kafka = kafkaSettingsOf(settings, 'agent');
  const { topicPrefix } = settings.config.kafka;
  return () => new KafkaSink({ producer: new OnePartitionProducer({ settings: kafka, clock, log }), topicPrefix });
}
