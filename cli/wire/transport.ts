import type { RecordSource } from '../../collector/source.ts';
import { LinkLive } from '../../dashboard/server/link-live.ts';
import type { LiveSource } from '../../dashboard/server/live-source.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import type { RecordSink } from '../../telemetry/link.ts';
import type { Settings } from '../settings.ts';
import { kafkaSettingsOf } from './kafka.ts';

/** Collectors with this behind the topic prefix share the partitions among them. */
export function collectorGroup({ config }: Settings): string {
  return `${config.kafka.topicPrefix}collector`;
}

interface Surroundings {
  clock: Clock;
  log: Log;
}

/** What an agent waits for at most in memory, with the collector in the same process. */
const LINK_MAX_BYTES = 16 * 1024 * 1024;

/** Both ends of the way of the reports, and a look at it, for a process that holds them all. */
export interface Transport {
  source: RecordSource;
  sink(): RecordSink;
  live(): LiveSource;
}

export async function makeTransport(settings: Settings, surroundings: Surroundings): Promise<Transport> {
  if (settings.config.transport === 'link') {
    const { InProcessLink } = await import('../../collector/consume/link.ts');
    const link = new InProcessLink({ maxBytes: LINK_MAX_BYTES, ...surroundings });
    return { source: link, sink: () => link.sink(), live: () => new LinkLive(link, surroundings.clock) };
  }
  const [source, sink, live] = await Promise.all([
    makeKafkaSource(settings, surroundings),
    import('./kafka-sinks.ts').then(({ kafkaSinks }) => kafkaSinks(settings, surroundings)),
    kafkaLives(settings, surroundings),
  ]);
  return { source, sink, live };
}

export async function makeKafkaSource(settings: Settings, { clock, log }: Surroundings): Promise<RecordSource> {
  const { KafkaSource } = await import('../../collector/consume/kafka.ts');
  return new KafkaSource({
    settings: kafkaSettingsOf(settings, 'collector'),
    groupId: collectorGroup(settings),
    topicPrefix: settings.config.kafka.topicPrefix,
    clock,
    log,
  });
}

export async function kafkaLives(settings: Settings, { clock, log }: Surroundings): Promise<() => LiveSource> {
  const { KafkaLive } = await import('../../dashboard/server/kafka-live.ts');
  const kafka = kafkaSettingsOf(settings, 'dashboard');
  const { topicPrefix } = settings.config.kafka;
  return () => new KafkaLive({ settings: kafka, topicPrefix, collectorGroupId: collectorGroup(settings), clock, log });
}
