import type { FactsPart } from '../../agent/facts.ts';
import { type Clock, sleep } from '../../lib/clock.ts';
import { parseDuration } from '../../lib/duration.ts';
import { ErichtError } from '../../lib/errors.ts';
import { type Log, plainLog } from '../../lib/log.ts';
import { settingsOf, type VerbContext } from '../context.ts';
import { json } from '../output/machine.ts';
import { type StartSummary, summarySentence } from '../output/summary.ts';
import { Welcome } from '../output/welcome.ts';
import { type Settings, simulatedSettings } from '../settings.ts';
import type { Everything } from '../wire/everything.ts';

const MOST_SIMULATED = 1000;
const OUTPUT_VERSION = 1;

/** `ericht start`: everything in one process until it is told to stop, or for as long as --for says. */
export async function run(context: VerbContext): Promise<number> {
  const { args, clock, guard, stderr, verbose } = context;
  const simulate = args.flags.simulate === undefined ? undefined : countOf(args.flags.simulate);
  const forMs = args.flags.for === undefined ? undefined : parseDuration(args.flags.for, '--for');
  const configured = settingsOf(context);
  const settings = simulate === undefined ? configured : simulatedSettings(configured);
  const quiet = 'quiet' in args.flags;
  const log = plainLog(verbose ? 'debug' : 'warn', stderr);
  guard.useLog(log);

  // Loaded after the settings were checked: a typing error is answered at once.
  const { Everything } = await import('../wire/everything.ts');
  const welcome = new Welcome({ settings, simulate, write: (text: string) => void (quiet || stderr.write(text)) });
  const startedAt = clock.now();
  const factsGathered = (facts: FactsPart) => {
    if (simulate === undefined) welcome.found(facts);
  };
  const everything = new Everything({ settings, simulate, clock, log, factsGathered });
  const running = {
    name: everything.name,
    start: async () => {
      await everything.start();
      welcome.running(everything.url);
    },
    stop: () => everything.stop(),
  };
  const time = forMs === undefined ? guard.stopped() : sleep(clock, forMs, guard.stopRequested);
  await guard.run(running, Promise.race([time, everything.failed]));

  const isCounted = args.output === 'json' || forMs !== undefined;
  if (!isCounted) {
    if (!quiet) stderr.write(`Stopped. What was read is kept in ${placeOf(settings)}.\n`);
    return 0;
  }
  const summary = await summaryOf(settings, everything, startedAt, { clock, log });
  if (args.output === 'json') context.stdout.write(json(summary));
  else context.stdout.write(summarySentence(summary, clock.now() - startedAt, placeOf(settings)));
  return 0;
}

function countOf(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= MOST_SIMULATED) return count;
  const what = `--simulate takes a whole number from 1 to ${MOST_SIMULATED}, not "${text}"`;
  throw new ErichtError('USAGE', { what });
}

function placeOf({ config, dataDir }: Settings): string {
  return config.store === 'sqlite' ? dataDir : 'Cassandra';
}

async function summaryOf(
  settings: Settings,
  everything: Everything,
  startedAt: number,
  surroundings: { clock: Clock; log: Log },
): Promise<StartSummary> {
  const runs = everything.runs();
  const { sampled, acknowledged, notSent } = everything.sent();
  const { ledger } = everything;
  const { countStored } = await import('../wire/tally.ts');
  const counted = await countStored({ settings, runs, ledger, startedAt, ...surroundings });
  const { stored, deadLettered, overflowed, lost, duplicates, onItsWay } = counted;
  return {
    schemaVersion: OUTPUT_VERSION,
    nodes: new Set(runs.values()).size,
    reports: {
      sampled,
      acknowledged,
      stored,
      deadLettered,
      overflowed,
      notSent,
      lost,
      duplicates,
      ...(onItsWay !== undefined && { onItsWay }),
    },
    dataDir: settings.dataDir,
  };
}
