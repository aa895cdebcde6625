import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { reasonOf } from '../lib/errors.ts';
import { cacheDirectory } from '../provision/stack/fetch.ts';
import { findTestFiles } from './runner/find-files.ts';
import { Preparations } from './runner/prepare.ts';
import { type Check, countsText, runSuite, type SuiteResult } from './runner/run-suite.ts';
import { type Selection, SUITES, select } from './runner/suites.ts';

const USAGE = `Runs the tests, suite by suite, and ends with "N passed, N failed, N skipped".

  npm test -- [SUITE or part of a path...] [options]

  --list      the suites and their files
  --full      the counts that a release is judged by, instead of a few
  --seed N    repeat a run of the same seed
  --help
`;

const root = fileURLToPath(new URL('..', import.meta.url));
const interrupted = new AbortController();
const print = (line: string) => process.stdout.write(`${line}\n`);

function checks(): Check[] {
  const tool = (name: string) => `${root}node_modules/.bin/${name}`;
  const web = existsSync(`${root}dashboard/web/tsconfig.json`);
  return [
    { name: 'types', command: tool('tsc'), args: ['--noEmit'] },
    ...(web ? [{ name: 'types of the page', command: tool('tsc'), args: ['--noEmit', '-p', 'dashboard/web'] }] : []),
    { name: 'format and lint', command: tool('biome'), args: ['ci', '--colors=off', '.'] },
  ];
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      list: { type: 'boolean' },
      full: { type: 'boolean' },
      seed: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const selections = select(SUITES, await findTestFiles(`${root}test`), positionals, root);
  if (values.list) {
    for (const { suite, files } of selections) {
      print(`${suite.name}: ${suite.about}`);
      for (const file of files) print(`  ${file.slice(root.length)}`);
    }
    return 0;
  }
  const seed = values.seed ?? process.env.ERICHT_TEST_SEED ?? String(randomInt(2 ** 31));
  print(`seed ${seed}${values.full ? ', full counts' : ''}`);
  // A test file's process spends half of a short life on compiling tap.
  const compiled = process.env.NODE_COMPILE_CACHE ?? join(cacheDirectory(process.env, homedir()), 'compiled');
  const env = {
    ...process.env,
    NODE_COMPILE_CACHE: compiled,
    ERICHT_TEST_SEED: seed,
    ...(values.full && { ERICHT_TEST_FULL: '1' }),
  };
  // A part of a path asks for files; the checks belong to a whole suite.
  const whole = positionals.every((word) => SUITES.some(({ name }) => name === word));
  const { counts: total, failures } = await runAll(selections, env, whole);
  // Whoever reads only the end of a long output learns what failed.
  if (failures.length > 0) print(`failed:\n${failures.map((failure) => `  ${failure}`).join('\n')}`);
  print(countsText(total));
  if (interrupted.signal.aborted) return 130;
  return total.failed === 0 && total.passed + total.skipped > 0 ? 0 : 1;
}

async function runAll(selections: Selection[], env: NodeJS.ProcessEnv, whole: boolean): Promise<SuiteResult> {
  const total: SuiteResult = { counts: { passed: 0, failed: 0, skipped: 0 }, failures: [] };
  const preparations = new Preparations(print);
  interrupted.signal.addEventListener('abort', () => preparations.stop());
  try {
    for (const selection of selections) {
      if (interrupted.signal.aborted) break;
      const { counts, failures } = await prepareAndRun(selection, preparations, env, whole);
      total.counts.passed += counts.passed;
      total.counts.failed += counts.failed;
      total.counts.skipped += counts.skipped;
      total.failures.push(...failures);
    }
  } finally {
    await preparations.stop();
  }
  return total;
}

async function prepareAndRun(
  selection: Selection,
  preparations: Preparations,
  env: NodeJS.ProcessEnv,
  whole: boolean,
): Promise<SuiteResult> {
  const { suite, files } = selection;
  print(`${suite.name}: ${suite.about}`);
  const given = { ...env };
  for (const need of files.length > 0 ? suite.needs : []) {
    const prepared = await preparations.prepare(need);
    if (interrupted.signal.aborted) return withoutNeed(suite.name, files.length, 'interrupted', true);
    if ('env' in prepared) Object.assign(given, prepared.env);
    else return withoutNeed(suite.name, files.length, prepared.missing);
  }
  const own = suite.name === 'unit' && whole ? checks() : [];
  return runSuite(selection, { env: given, cwd: root, signal: interrupted.signal, print, checks: own });
}

/** On CI nothing may be left out quietly; elsewhere a developer is told what is missing. */
function withoutNeed(name: string, files: number, missing: string, fails = process.env.CI === 'true'): SuiteResult {
  print(`${name}: ${fails ? 'FAIL: cannot run' : 'skipped'}: ${missing}`);
  const counts = { passed: 0, failed: fails ? files : 0, skipped: fails ? 0 : files };
  return { counts, failures: fails ? [`${name}: cannot run: ${missing.split('\n')[0]}`] : [] };
}

for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    // The servers of the stack end with us, whichever way we go.
    if (interrupted.signal.aborted) process.exit(130);
    interrupted.abort(`interrupted by ${name}`);
  });
}

main().then(
  (exitCode) => process.exit(exitCode),
  (error) => {
    process.stderr.write(`${reasonOf(error)}\n${USAGE}`);
    process.exit(2);
  },
);
