import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { overview } from '../../cli/help.ts';
import { VERBS } from '../../cli/verbs.ts';
import { runEricht } from '../helpers/run-ericht.ts';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

test('help is on standard output and names every verb', async (t) => {
  const folder = t.testdir();
  for (const args of [['help'], ['--help'], []]) {
    const { code, stdout, stderr } = await runEricht(t, args, { folder });
    t.equal(code, 0);
    t.equal(stdout, overview(VERBS));
    t.equal(stderr, '');
  }
  for (const { name } of VERBS) t.match(overview(VERBS), new RegExp(`^  ${name} `, 'm'));
});

test('no line of any help is wider than 120 characters', async (t) => {
  const folder = t.testdir();
  for (const { name, usage } of VERBS) {
    const { code, stdout } = await runEricht(t, ['help', name], { folder });
    t.equal(code, 0);
    t.ok(stdout.startsWith(`Usage: ${usage[0]}`), name);
    for (const line of stdout.split('\n')) if (line.length > 120) t.fail(`${name}: ${line}`);
  }
});

test('the help of a verb is had in either way', async (t) => {
  const folder = t.testdir();
  const [one, other] = await Promise.all([
    runEricht(t, ['help', 'agent'], { folder }),
    runEricht(t, ['agent', '--help'], { folder }),
  ]);
  t.equal(one.stdout, other.stdout);
  t.match(one.stdout, /--path\.procfs +root of the proc file system \[\/proc\]/);
  t.notMatch(one.stdout, /--port/, 'a verb shows only what it obeys');
});

test('version is one line, or one JSON document', async (t) => {
  const folder = t.testdir();
  const text = await runEricht(t, ['version'], { folder });
  t.equal(text.stdout, `ericht ${version}, Node ${process.versions.node}\n`);
  const json = await runEricht(t, ['version', '-o', 'json'], { folder });
  t.same(JSON.parse(json.stdout), { schemaVersion: 1, ericht: version, node: process.versions.node });
});

const refusals: [string, string[], string][] = [
  [
    'an unknown verb',
    ['statsu'],
    'ericht: there is no verb "statsu". The nearest one is "ericht status"; "ericht help" lists all.\n',
  ],
  ['a verb like no other', ['zebra'], 'ericht: there is no verb "zebra". "ericht help" lists all verbs.\n'],
  [
    'an unknown flag',
    ['start', '--prot', '1'],
    'ericht: ericht start has no flag --prot. The nearest one is --port.\n',
  ],
  [
    'a flag of another verb',
    ['agent', '--port', '1'],
    'ericht: ericht agent has no flag --port. "ericht agent --help" shows its flags.\n',
  ],
  [
    'a flag without its value',
    ['start', '--port'],
    'ericht: --port needs a value. "ericht start --help" shows its flags.\n',
  ],
  [
    'a switch with a value',
    ['agent', '--once=yes'],
    'ericht: --once takes no value. "ericht agent --help" shows its flags.\n',
  ],
  [
    'an extra word',
    ['status', 'now'],
    'ericht: ericht status does not take "now". "ericht status --help" shows its flags.\n',
  ],
  ['an unknown output', ['status', '-o', 'csv'], 'ericht: ericht status has no output "csv". It has table, json.\n'],
  [
    'a wrong duration',
    ['start', '--for', '20'],
    'ericht: --for is not a duration: "20". Write a number with ms, s, m, h, d or w, such as 20s.\n',
  ],
  [
    'a page at no web address',
    ['status', '--server', 'localhost:8080'],
    'ericht: --server is not an address: "localhost:8080". Write http://host:port.\n',
  ],
  [
    'a time that ends before it begins',
    ['audit', '--since', '1h', '--until', '2h'],
    'ericht: --since must be earlier than --until. An age such as 2h counts back from now.\n',
  ],
  [
    'no boards to simulate',
    ['start', '--simulate', '0'],
    'ericht: --simulate takes a whole number from 1 to 1000, not "0".\n',
  ],
  [
    'a wrong value of a setting',
    ['start', '--port', '99999'],
    `ericht: --port: port can't be 99999: the most is 65535. It means: the port of the page; 0 takes a free one.\n`,
  ],
  [
    'Kafka without brokers',
    ['collector', '--transport', 'kafka'],
    'ericht: --transport: transport: kafka needs kafka.brokers, such as ["127.0.0.1:9092"].\n',
  ],
];

for (const [what, args, sentence] of refusals) {
  test(`${what} is refused with exit code 2 and a sentence`, async (t) => {
    const { code, stdout, stderr } = await runEricht(t, args, { folder: t.testdir() });
    t.equal(stderr, sentence);
    t.equal(code, 2);
    t.equal(stdout, '');
  });
}

test('an unknown key in ericht.yaml is refused with file, line and the nearest known key', async (t) => {
  const folder = t.testdir();
  writeFileSync(join(folder, 'ericht.yaml'), 'clusterId: a\nkafka:\n  broker: [a:1]\n');
  const { code, stderr } = await runEricht(t, ['start'], { folder });
  t.equal(stderr, 'ericht: ericht.yaml:3: unknown key kafka.broker. The nearest known key is kafka.brokers.\n');
  t.equal(code, 2);
});

test('an unknown variable is refused with the nearest known one', async (t) => {
  const { code, stderr } = await runEricht(t, ['start'], {
    folder: t.testdir(),
    environment: { ERICHT_DATA_DRI: '/x' },
  });
  t.equal(stderr, 'ericht: unknown variable ERICHT_DATA_DRI. The nearest known one is ERICHT_DATA_DIR.\n');
  t.equal(code, 2);
});

test('with -v an error tells its code and where it comes from', async (t) => {
  const { stderr } = await runEricht(t, ['start', '-v', '--port', 'x'], { folder: t.testdir() });
  t.match(stderr, /^Code: CONFIG_INVALID$/m);
  t.match(stderr, /^ +at /m);
});
