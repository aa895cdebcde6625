import type { Clock } from '../lib/clock.ts';
import type { ProcessGuard } from '../lib/shutdown.ts';
import type { Arguments } from './arguments.ts';
import { type Environment, loadSettings, type Settings } from './settings.ts';
import type { VerbSpec } from './verbs.ts';

/** What a verb gets of its process: nothing else reads the environment or ends it. */
export interface VerbContext {
  verb: VerbSpec;
  args: Arguments;
  guard: ProcessGuard;
  clock: Clock;
  environment: Environment;
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
  verbose: boolean;
  /** Standard output is a terminal that may be coloured. */
  colour: boolean;
}

/** The configuration of this verb. Throws CONFIG_INVALID or CONFIG_UNREADABLE. */
export function settingsOf({ args, environment }: VerbContext): Settings {
  return loadSettings({ environment, configFile: args.flags.config, flags: args.settings });
}

/** Ordinary messages go to standard error: standard output carries data only. */
export function say(context: VerbContext, sentence: string): void {
  context.stderr.write(`${sentence}\n`);
}
