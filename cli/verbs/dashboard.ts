import type { Notice } from '../../dashboard/messages.ts';
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
  const patient = new PatientStore({ store, clock, log });
  const notices = () => {
    const problems = [live.pipeline().problem, patient.problem].filter((problem) => problem !== undefined);
    return problems.map((problem): Notice => ({ severity: 'critical', text: sentence(problem) }));
  };
  const storeProblem = () => patient.problem;
  const dashboard = makeDashboard(settings, { live, reader: store, notices, storeProblem, clock, log });
  const opened = {
    name: dashboard.name,
    start: async () => {
      await dashboard.start();
      log.info(dashboard.address(), `the page is at ${dashboard.address().url}`);
    },
    stop: () => dashboard.stop(),
  };
  const group = new ServiceGroup('dashboard', [patient, opened], clock, log);
  return runAsService(context, log, group);
}

function sentence(problem: string): string {
  return `${problem.charAt(0).toUpperCase()}${problem.slice(1)}.`;
}
