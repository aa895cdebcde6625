import { ServiceGroup } from '../../lib/lifecycle.ts';
import { settingsOf, type VerbContext } from '../context.ts';
import { requireKafka } from '../wire/kafka.ts';
import { runAsService, serviceLog } from '../wire/service.ts';

/** `ericht collector`: takes reports from Kafka and keeps them in the store. */
export async function run(context: VerbContext): Promise<number> {
  const settings = settingsOf(context);
  requireKafka(settings, 'collector');
  const { clock } = context;
  const log = serviceLog(context, settings, 'collector');
  const [{ makeCollector }, { makeKafkaSource }] = await Promise.all([
    import('../wire/collector.ts'),
    import('../wire/transport.ts'),
  ]);
  const source = await makeKafkaSource(settings, { clock, log });
  const { collector, beside } = await makeCollector(settings, source, { clock, log });
  return runAsService(context, log, new ServiceGroup('collector', [...beside, collector], clock, log));
}
