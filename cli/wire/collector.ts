import { Collector } from '../../collector/collector.ts';
import type { Job } from '../../collector/jobs.ts';
import type { RecordSource } from '../../collector/source.ts';
import type { AsideStore } from '../../collector/store/port.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Service } from '../../lib/lifecycle.ts';
import type { Log } from '../../lib/log.ts';
import type { Settings } from '../settings.ts';
import { kafkaSettingsOf } from './kafka.ts';
import { makeStore, type WiredStore } from './store.ts';

export interface WiredCollector {
  collector: Collector;
  wired: WiredStore;
  /** What the collector needs beside it; starts before it and stops after it. */
  beside: Service[];
}

/** The collector over `source`, with the store as configured. */
export async function makeCollector(
  settings: Settings,
  source: RecordSource,
  { clock, log }: { clock: Clock; log: Log },
): Promise<WiredCollector> {
  const wired = await makeStore(settings, { access: 'write', clock, log });
  const { aside, beside } = await makeAside(settings, wired, { clock, log });
  const collector = new Collector({
    source,
    store: wired.store,
    aside,
    retention: settings.retention,
    jobs: jobsOf(wired),
    clock,
    log,
  });
  return { collector, wired, beside };
}

/** With Kafka, dead letters and overflow are topics; without it the store keeps them in a table. */
async function makeAside(
  settings: Settings,
  { aside }: WiredStore,
  { clock, log }: { clock: Clock; log: Log },
): Promise<{ aside: AsideStore; beside: Service[] }> {
  if (settings.config.transport === 'link' && aside) return { aside, beside: [] };
  const [{ KafkaAside }, { OnePartitionProducer }] = await Promise.all([
    import('../../collector/aside/kafka.ts'),
    import('../../kafka/producer.ts'),
  ]);
  const producer = new OnePartitionProducer({ settings: kafkaSettingsOf(settings, 'collector'), clock, log });
  return { aside: new KafkaAside({ producer, topicPrefix: settings.config.kafka.topicPrefix }), beside: [producer] };
}

function jobsOf({ maintain }: WiredStore): Job[] {
  if (!maintain) return [];
  return [{ name: 'keeping the database small', schedule: '* * * * *', run: maintain }];
}
