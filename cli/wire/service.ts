import { hostname } from 'node:os';
import type { Service } from '../../lib/lifecycle.ts';
import { jsonLog, type Log } from '../../lib/log.ts';
import type { VerbContext } from '../context.ts';
import type { Settings } from '../settings.ts';

/** What a service says: JSON lines on standard output. */
export function serviceLog({ verbose, stdout }: VerbContext, { config }: Settings, name: string): Log {
  return jsonLog(verbose ? 'debug' : config.log.level, stdout, {
    service: name,
    hostname: hostname(),
    pid: process.pid,
  });
}

/** Runs until the process is told to stop. Resolves with the exit code. */
export async function runAsService({ guard }: VerbContext, log: Log, service: Service): Promise<number> {
  guard.useLog(log);
  const running = {
    name: service.name,
    start: async () => {
      await service.start();
      log.info({}, `${service.name} runs`);
    },
    stop: async () => {
      await service.stop();
      log.info({}, `${service.name} stopped`);
    },
  };
  await guard.run(running);
  return 0;
}
