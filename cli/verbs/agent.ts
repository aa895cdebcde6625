import { join } from 'node:path';
import { ServiceGroup } from '../../lib/lifecycle.ts';
import { plainLog, silentLog } from '../../lib/log.ts';
import type { RecordSink } from '../../telemetry/link.ts';
import { settingsOf, type VerbContext } from '../context.ts';
import type { Settings } from '../settings.ts';
import { requireKafka } from '../wire/kafka.ts';
import { runAsService, serviceLog } from '../wire/service.ts';

/** `ericht agent`: samples this machine and sends to Kafka; with --once it prints one report instead. */
export async function run(context: VerbContext): Promise<number> {
  const settings = settingsOf(context);
  if ('once' in context.args.flags) return once(context, settings);
  requireKafka(settings, 'agent');
  const { clock } = context;
  const log = serviceLog(context, settings, 'agent');
  const [{ makeAgent }, { watchdogOf }, { kafkaSinks }] = await Promise.all([
    import('../wire/agent.ts'),
    import('../../agent/watchdog.ts'),
    import('../wire/kafka-sinks.ts'),
  ]);
  const sink = kafkaSinks(settings, { clock, log })();
  const spool = { directory: join(settings.dataDir, 'spool'), ...settings.spool };
  const agent = await makeAgent(settings, { sink, spool, keepsEnergy: true, clock, log });
  const { intervalMs } = settings;
  const rounds = () => agent.counts().sampled;
  const watchdog = watchdogOf(context.environment, { rounds, intervalMs, pid: process.pid, clock, log });
  return runAsService(context, log, new ServiceGroup('agent', watchdog ? [agent, watchdog] : [agent], clock, log));
}

async function once({ args, clock, stdout, stderr, verbose }: VerbContext, settings: Settings): Promise<number> {
  const log = verbose ? plainLog('debug', stderr) : silentLog;
  const { makeAgent } = await import('../wire/agent.ts');
  const agent = await makeAgent(settings, { sink: nowhere, clock, log });
  const report = await agent.sampleOnce();
  // An agent that runs for months has no use for what people and scripts are shown.
  const { asJson, asTable } = await import('../output/one-report.ts');
  stdout.write(args.output === 'json' ? asJson(report) : asTable(report, agent.findings()));
  return 0;
}

/** For an agent that is asked for one report and never started. */
const nowhere: RecordSink = { name: 'nowhere', start: async () => {}, send: async () => {}, stop: async () => {} };
