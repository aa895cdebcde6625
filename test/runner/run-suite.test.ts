import { fileURLToPath } from 'node:url';
import { test } from 'tap';
import { type Counts, runSuite } from './run-suite.ts';
import type { Suite } from './suites.ts';

const fixtures = fileURLToPath(new URL('fixtures', import.meta.url));

interface Case extends Counts {
  file: string;
  /** Must be in what is printed. */
  says: RegExp;
}

const CASES: Case[] = [
  { file: 'passing', passed: 2, failed: 0, skipped: 0, says: /ok {3}passing\.test\.ts: 2 passed/ },
  { file: 'failing', passed: 1, failed: 1, skipped: 0, says: /-wanted\n +\+found/ },
  { file: 'asserting', passed: 1, failed: 1, skipped: 0, says: /fails without a subtest/ },
  { file: 'crashing', passed: 1, failed: 1, skipped: 0, says: /thrown outside of any test/ },
  { file: 'unloadable', passed: 0, failed: 1, skipped: 0, says: /thrown before the first test/ },
  { file: 'killed', passed: 1, failed: 1, skipped: 0, says: /ended early, after 1 tests \(killed by SIGKILL\)/ },
  { file: 'leaving', passed: 0, failed: 1, skipped: 0, says: /FAIL leaving/ },
  { file: 'bad-exit', passed: 1, failed: 1, skipped: 0, says: /and yet the file failed \(exit code 3\)/ },
  { file: 'bailing', passed: 1, failed: 1, skipped: 0, says: /Bail out! the disk is gone/ },
  { file: 'empty', passed: 0, failed: 1, skipped: 0, says: /ended early, after 0 tests/ },
  { file: 'without-tap', passed: 0, failed: 1, skipped: 0, says: /ended early, after 0 tests/ },
  { file: 'hollow', passed: 0, failed: 1, skipped: 0, says: /asserts nothing: asserts nothing/ },
  { file: 'skipping', passed: 1, failed: 0, skipped: 3, says: /waits for hardware: SKIP there is no such chip here/ },
  { file: 'failing-and-skipping', passed: 0, failed: 1, skipped: 0, says: /not ok 1 - does not hold, whatever/ },
  { file: 'skipped-whole', passed: 0, failed: 0, skipped: 1, says: /there is no engine here/ },
];

function suite(limits: Partial<Suite> = {}): Suite {
  return { name: 'sample', about: '', jobs: 2, fileLimitMs: 20_000, limitMs: 60_000, needs: [], ...limits };
}

async function run(
  names: string[],
  limits: Partial<Suite> = {},
  { signal = new AbortController().signal, onCi = false } = {},
) {
  const lines: string[] = [];
  const files = names.map((name) => `${fixtures}/${name}.test.ts`);
  const own = Object.entries(process.env).filter(([key]) => !key.startsWith('TAP') && key !== 'CI');
  const env = { ...Object.fromEntries(own), ...(onCi && { CI: 'true' }) };
  const print = (line: string) => lines.push(line);
  const result = await runSuite({ suite: suite(limits), files }, { env, cwd: fixtures, signal, print });
  return { ...result, text: lines.join('\n') };
}

test('every file counts for what it did, and what went wrong is shown', async (t) => {
  const { counts, text } = await run(CASES.map(({ file }) => file));
  for (const { file, says, passed, failed, skipped } of CASES) {
    t.match(text, `${file}.test.ts: ${passed} passed, ${failed} failed, ${skipped} skipped, `);
    t.match(text, says, file);
  }
  const sum = (count: keyof Counts) => CASES.reduce((total, each) => total + each[count], 0);
  t.same(counts, { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') });
  t.match(text, /sample: \d+ passed, \d+ failed, \d+ skipped in [\d.]+ s$/);
});

test('a test of which a part is skipped or still to do has not passed, and the parts are named', async (t) => {
  const { text } = await run(['skipping']);
  t.match(text, /skipped: is not written yet: TODO/);
  t.match(text, /skipped: holds in part: adds up: TODO let it count/);
});

test('on CI whatever is left out counts as failed, with its reason', async (t) => {
  const { counts, text } = await run(['skipping', 'skipped-whole'], {}, { onCi: true });
  t.same(counts, { passed: 1, failed: 4, skipped: 0 });
  for (const says of [/waits for hardware: SKIP there is no such chip here/, /TODO let it count/, /no engine here/]) {
    t.match(text, says);
  }
  t.match(text, /FAIL skipping\.test\.ts/);
});

let running: ReturnType<typeof run> | undefined;

/** One run for all kinds of being late: each of them takes its whole limit. */
function runLate(): ReturnType<typeof run> {
  const files = ['hanging', 'deaf', 'lingering', 'passing'];
  running ??= run(files, { fileLimitMs: 12_000, jobs: 4 });
  return running;
}

const of = (file: string, failures: string[]) => failures.filter((failure) => failure.startsWith(`${file}.test.ts: `));

test('files that are late fail, and the others run', async (t) => {
  const { counts } = await runLate();
  t.equal(counts.passed, 4);
  t.ok(counts.failed >= 3);
});

test('a test that outlives the limit of its file is named', async (t) => {
  const { failures } = await runLate();
  t.match(of('hanging', failures)[0], 'hanging.test.ts: never ends: timeout!');
});

test('a file that cannot even end itself is ended, and its last test and its last words are shown', async (t) => {
  const { failures, text } = await runLate();
  t.same(of('deaf', failures), ['deaf.test.ts: not done within 12 s; it was running: lets nothing else run']);
  t.match(text, /its last lines:\n +TAP version 14\n(.*\n)+ +a last word/);
});

test('of a process that goes on after its last test, what holds it is named', async (t) => {
  const [failure] = of('lingering', (await runLate()).failures);
  t.match(
    failure,
    /: timeout!: the file did not end; it was past: leaves a timer; its event loop held: .*timer due in/,
  );
});

test('each failure is told once more in one line: its file, its test, and what went wrong first', async (t) => {
  const { failures } = await run(['failing', 'asserting', 'hollow', 'unloadable', 'bailing']);
  t.same(failures.sort(), [
    'asserting.test.ts: fails without a subtest: -2 +1',
    'bailing.test.ts: Bail out! the disk is gone',
    'failing.test.ts: does not hold: should be equal: -wanted +found',
    'hollow.test.ts: asserts nothing: asserts nothing',
    'unloadable.test.ts: the file ended early, after 0 tests (exit code 1)',
  ]);
});

test('a suite that is late fails what it has not run', async (t) => {
  const { counts, text } = await run(['hanging', 'passing'], { limitMs: 500, jobs: 1 });
  t.same(counts, { passed: 0, failed: 2, skipped: 0 });
  t.match(text, /the suite was not done within 0\.5 s/);
});

test('an interrupted run never looks like a passed one', async (t) => {
  const interruption = new AbortController();
  const running = run(['hanging'], {}, { signal: interruption.signal });
  interruption.abort('interrupted by a test');
  const { counts, text } = await running;
  t.same(counts, { passed: 0, failed: 1, skipped: 0 });
  t.match(text, /interrupted by a test/);
});

test('a check passes by its exit code, and shows what it printed when it fails', async (t) => {
  const lines: string[] = [];
  const check = (name: string, script: string) => ({ name, command: process.execPath, args: ['-e', script] });
  const checks = [check('tidy', ''), check('untidy', 'console.log("line 3 is untidy"); process.exitCode = 1')];
  const options = { env: process.env, cwd: fixtures, signal: new AbortController().signal, checks };
  const print = (line: string) => lines.push(line);
  const { counts, failures } = await runSuite({ suite: suite(), files: [] }, { ...options, print });
  t.same(counts, { passed: 1, failed: 1, skipped: 0 });
  t.same(failures, ['untidy: line 3 is untidy']);
  t.match(lines.join('\n'), /FAIL untidy.*\n +line 3 is untidy/);
});
