import { ErichtError, toErichtError } from '../lib/errors.ts';
import { type Arguments, findVerb, parseArguments } from './arguments.ts';
import { MODULES } from './verb-modules.ts';
import { VERBS, type VerbSpec } from './verbs.ts';

/** Verbs that this program has: the bundle for boards has fewer. */
const verbs = VERBS.filter(({ name }) => name in MODULES || name === 'help' || name === 'version');

/** The `ericht` command: reads the line, runs the verb, says what went wrong in plain sentences. */
export async function main(argv: string[]): Promise<void> {
  const [word = 'help', ...rest] = argv;
  try {
    if (word === 'help' || word === '--help' || word === '-h') return await help(rest);
    if (word === 'version' || word === '--version') return await version(rest);
    const verb = verbNamed(word);
    const { settingFlagsOf } = await import('./setting-flags.ts');
    const args = parseArguments(verb, settingFlagsOf(verb), rest);
    if (args.help) return await help([verb.name]);
    await runVerb(verb, args);
  } catch (error) {
    printError(error, false);
    process.exitCode = toErichtError(error).exitCode;
  }
}

function verbNamed(word: string): VerbSpec {
  if (!VERBS.some(({ name }) => name === word) || verbs.some(({ name }) => name === word)) return findVerb(word, verbs);
  throw new ErichtError('USAGE', {
    what: `"ericht ${word}" is not part of the bundle for boards`,
    next: 'run it where the whole of Ericht is: npm run -s ericht -- help',
  });
}

async function help(rest: string[]): Promise<void> {
  const { overview, verbHelp } = await import('./help.ts');
  const args = parseArguments(findVerb('help', VERBS), [], rest);
  const [word] = args.positionals;
  if (word === undefined) {
    process.stdout.write(overview(verbs));
    return;
  }
  const verb = verbNamed(word);
  const settings = verb.settings.length > 0 ? (await import('./setting-flags.ts')).settingHelpOf(verb) : [];
  process.stdout.write(verbHelp(verb, settings));
}

async function version(rest: string[]): Promise<void> {
  const args = parseArguments(findVerb('version', VERBS), [], rest);
  if (args.help) return await help(['version']);
  const { versions } = await import('./version.ts');
  const { ericht, node } = versions();
  const text =
    args.output === 'json' ? JSON.stringify({ schemaVersion: 1, ericht, node }) : `ericht ${ericht}, Node ${node}`;
  process.stdout.write(`${text}\n`);
}

async function runVerb(verb: VerbSpec, args: Arguments): Promise<void> {
  const [{ ProcessGuard }, { systemClock }, { plainLog }] = await Promise.all([
    import('../lib/shutdown.ts'),
    import('../lib/clock.ts'),
    import('../lib/log.ts'),
  ]);
  const verbose = 'verbose' in args.flags;
  const log = plainLog('warn', process.stderr);
  const guard = new ProcessGuard({ kind: isLook(verb, args) ? 'look' : 'service', clock: systemClock, log });
  guard.install();
  let exitCode: number;
  try {
    const { run } = await MODULES[verb.name]!();
    exitCode = await run({
      verb,
      args,
      guard,
      clock: systemClock,
      environment: process.env,
      stdout: process.stdout,
      stderr: process.stderr,
      verbose,
      colour: usesColour(args),
    });
  } catch (error) {
    printError(error, verbose);
    exitCode = toErichtError(error).exitCode;
  }
  await guard.exit(exitCode);
}

function isLook(verb: VerbSpec, args: Arguments): boolean {
  return verb.kind === 'look' || 'once' in args.flags;
}

function usesColour(args: Arguments): boolean {
  return process.stdout.isTTY === true && !process.env.NO_COLOR && !('no-color' in args.flags);
}

function printError(error: unknown, verbose: boolean): void {
  const known = toErichtError(error);
  process.stderr.write(`ericht: ${known.message}.\n`.replace(/([.?!])\.\n$/, '$1\n'));
  if (!verbose) return;
  process.stderr.write(`Code: ${known.code}\n`);
  for (let cause: unknown = known; cause instanceof Error; cause = cause.cause) {
    process.stderr.write(`${cause instanceof ErichtError && !cause.cause ? '' : 'From: '}${cause.stack}\n`);
  }
}
