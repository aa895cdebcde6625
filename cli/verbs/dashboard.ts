import { ServiceGroup } from '../../lib/lifecycle.ts';
import { settingsOf, type VerbContext } from '../context.ts';
import { requireKafka } from '../wire/kafka.ts';
import { PatientStore } from '../wire/patient-store.ts';
import { runAsService, serviceLog } from '../wire/service.ts';
import { makeStore } from '../wire/store.ts';

/** `ericht dashboard`: serves the page, live from Kafka, with history from the store. */
export async function run(context: VerbContext): Promise<number> {
  const settings = settingsOf(context);
  requireKafka(settings, 'dashboard');
  const { clock } = context;
  const log = serviceLog(context, settings, 'dashboard');
  const [{ makeDashboard }, { kafkaLives }] = await Promise.all([
    import('../wire/dashboard.ts'),
    import('../wire/transport.ts'),
  ]);
  const { store } = await makeStore(settings, { access: 'read', clock, log });
  const live = (await kafkaLives(settings, { clock, log }))();
  const dashboard = makeDashboard(settings, { live, reader: store, notices: () => [], clock, log });
  const opened = {
    name: dashboard.name,
    start: async () => {
      await dashboard.start();
      log.info(dashboard.address(), `the page is at ${dashboard.address().url}`);
    },
    stop: () => dashboard.stop(),
  };
  const group = new ServiceGroup('dashboard', [new PatientStore({ store, clock, log }), opened], clock, log);
  return runAsService(context, log, group);
}
