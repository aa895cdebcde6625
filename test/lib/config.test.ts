import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { z } from 'zod';
import { loadConfig } from '../../lib/config.ts';
import { flagOfPath, variableOfPath } from '../../lib/config-text.ts';
import { ErichtError } from '../../lib/errors.ts';

const schema = z
  .strictObject({
    dataDir: z.string().default('/data'),
    port: z.int().min(0).max(65_535).default(8080).meta({ description: 'the port of the page' }),
    verbose: z.boolean().default(false),
    mode: z.enum(['link', 'kafka']).default('link'),
    kafka: z
      .strictObject({ brokers: z.array(z.string()).default([]), topicPrefix: z.string().default('ericht.') })
      .prefault({}),
    tls: z.strictObject({ caFile: z.string().optional() }).optional(),
    rails: z.array(z.strictObject({ label: z.string(), shuntOhms: z.number().gt(0) })).default([]),
  })
  .superRefine((value, context) => {
    if (value.mode === 'kafka' && value.kafka.brokers.length === 0) {
      const message = 'mode: kafka needs kafka.brokers';
      context.addIssue({ code: 'custom', params: { sentence: true }, path: ['mode'], message });
    }
  });

interface Given {
  yaml?: string;
  environment?: Record<string, string>;
  flags?: Record<string, string>;
}

function load(t: Test, { yaml, environment = {}, flags = {} }: Given) {
  const folder = t.testdir();
  const file = join(folder, 'app.yaml');
  if (yaml !== undefined) writeFileSync(file, yaml);
  const searchFiles = [join(folder, 'absent.yaml'), file];
  return {
    ...loadConfig({ schema, searchFiles, environment, variablePrefix: 'APP_', foreignPrefixes: ['APP_TEST_'], flags }),
  };
}

function refusal(t: Test, given: Given): ErichtError {
  try {
    load(t, given);
  } catch (error) {
    if (error instanceof ErichtError) {
      t.equal(error.exitCode, 2);
      return error;
    }
    throw error;
  }
  throw new Error('it was taken');
}

test('without anything given there are the defaults', async (t) => {
  const { values, originOf } = load(t, {});
  t.equal(values.port, 8080);
  t.same(values.kafka, { brokers: [], topicPrefix: 'ericht.' });
  t.same(originOf('port'), { from: 'default', where: '' });
});

test('flags win over the environment, the environment over the file', async (t) => {
  const yaml = 'dataDir: /file\nport: 1\nmode: link\n';
  const environment = { APP_DATA_DIR: '/environment', APP_PORT: '2' };
  const { values, originOf, file } = load(t, { yaml, environment, flags: { port: '3' } });
  t.equal(values.port, 3);
  t.equal(values.dataDir, '/environment');
  t.same(originOf('port'), { from: 'flag', where: '--port' });
  t.same(originOf('dataDir'), { from: 'environment', where: 'APP_DATA_DIR' });
  t.same(originOf('mode'), { from: 'file', where: `${file}:3` });
});

test('case and single underscores of a variable do not count, double ones step down', async (t) => {
  const environment = { APP_KAFKA__TOPIC_PREFIX: 'a.', APP_datadir: '/b' };
  const { values } = load(t, { environment });
  t.equal(values.kafka.topicPrefix, 'a.');
  t.equal(values.dataDir, '/b');
});

test('text becomes what the schema expects there', async (t) => {
  const environment = {
    APP_KAFKA__BROKERS: 'a:1, b:2',
    APP_VERBOSE: 'true',
    APP_RAILS: '[{label: main, shuntOhms: 0.002}]',
  };
  const { values } = load(t, { environment, flags: { port: '0' } });
  t.same(values.kafka.brokers, ['a:1', 'b:2']);
  t.equal(values.verbose, true);
  t.equal(values.port, 0);
  t.same(values.rails, [{ label: 'main', shuntOhms: 0.002 }]);
});

test('a variable of a section leaves the other keys of the section as the file has them', async (t) => {
  const yaml = 'kafka:\n  brokers: [a:1]\n  topicPrefix: mine.\n';
  const { values } = load(t, { yaml, environment: { APP_KAFKA__BROKERS: 'b:2' } });
  t.same(values.kafka, { brokers: ['b:2'], topicPrefix: 'mine.' });
});

test('an unknown key is refused with its line and the nearest known one', async (t) => {
  const { what, next } = refusal(t, { yaml: '\nport: 1\n\nkafka:\n  broker: [a:1]\n' });
  t.match(what, /app\.yaml:5: unknown key kafka\.broker$/);
  t.equal(next, 'the nearest known key is kafka.brokers');
});

test('a key in the wrong section is led to the right one', async (t) => {
  const { what, next } = refusal(t, { yaml: 'brokers: [a:1]\n' });
  t.match(what, /app\.yaml:1: unknown key brokers$/);
  t.equal(next, 'the nearest known key is kafka.brokers');
});

test('where no key is near, the known ones are listed', async (t) => {
  const { next } = refusal(t, { yaml: 'zzzzzzzz: 1\n' });
  t.equal(next, 'known here: dataDir, port, verbose, mode, kafka, tls, rails');
});

test('an unknown key in a list entry is named with its place', async (t) => {
  const { what } = refusal(t, {
    yaml: 'rails:\n  - label: a\n    shuntOhms: 1\n  - label: b\n    shuntOhm: 1\n    shuntOhms: 1\n',
  });
  t.match(what, /app\.yaml:5: unknown key rails\[1\]\.shuntOhm$/);
});

test('a wrong value is refused with what is wrong and what would be right', async (t) => {
  const { what, why, next } = refusal(t, { yaml: 'dataDir: /x\nport: 99999\n' });
  t.match(what, /app\.yaml:2: port can't be 99999$/);
  t.equal(why, 'the most is 65535');
  t.equal(next, 'it means: the port of the page');
});

test('a wrong word is refused with the words that there are', async (t) => {
  const { what, why } = refusal(t, { flags: { mode: 'kafak' } });
  t.equal(what, '--mode: mode can\'t be "kafak"');
  t.equal(why, 'expected link or kafka');
});

test('a missing key is placed at the section that lacks it', async (t) => {
  const { what } = refusal(t, { yaml: 'port: 1\nrails:\n  - label: a\n' });
  t.match(what, /app\.yaml:3: rails\[0\]\.shuntOhms is missing$/);
});

test('several mistakes are told in one go, a line each', async (t) => {
  const { what, why } = refusal(t, { yaml: 'prot: 1\nmode: x\n' });
  t.match(what, /^2 things/);
  t.match(why, /app\.yaml:1: unknown key prot \(the nearest known key is port\)/);
  t.match(why, /app\.yaml:2: mode can't be "x"/);
  t.equal(why?.trim().split('\n').length, 2);
});

test('of very many mistakes the first ten are told, and how many more there are', async (t) => {
  const yaml = Array.from({ length: 100 }, (_, index) => `zzzzzzzz${index}: 1\n`).join('');
  const { what, why } = refusal(t, { yaml });
  t.match(what, /^100 things/);
  t.equal(why?.trim().split('\n').length, 11);
  t.match(why, /and 90 more$/);
});

test('where text is expected, a number is to be written in quotes', async (t) => {
  t.equal(refusal(t, { yaml: 'dataDir: 7\n' }).why, 'expected text: write it in quotes');
});

test('a rule over several fields speaks its own sentence', async (t) => {
  const { what } = refusal(t, { yaml: 'port: 1\nmode: kafka\n' });
  t.match(what, /app\.yaml:2: mode: kafka needs kafka\.brokers$/);
});

test('an unknown variable is refused with the nearest known one', async (t) => {
  const { what, next } = refusal(t, { environment: { APP_KAFKA__BROKER: 'a:1' } });
  t.equal(what, 'unknown variable APP_KAFKA__BROKER');
  t.equal(next, 'the nearest known one is APP_KAFKA__BROKERS');
});

test('variables that Kubernetes makes for a service of the same name are no settings', async (t) => {
  const environment = {
    APP_PORT: 'tcp://10.0.0.1:8080',
    APP_PORT_8080_TCP_ADDR: '10.0.0.1',
    APP_DASHBOARD_SERVICE_HOST: '10.0.0.1',
    APP_DASHBOARD_SERVICE_PORT_HTTP: '80',
    APP_TEST_ANYTHING: '1',
    OTHER: '1',
  };
  t.equal(load(t, { environment }).values.port, 8080);
});

test('a section whose lines are all comments says nothing', async (t) => {
  t.same(load(t, { yaml: 'kafka:\n#  brokers: [a:1]\n' }).values.kafka.brokers, []);
  t.equal(load(t, { yaml: '' }).values.port, 8080);
});

test('an empty section that has no default is refused: an empty tls must not mean none', async (t) => {
  const { what } = refusal(t, { yaml: 'tls:\n#  caFile: /x\n' });
  t.match(what, /app\.yaml:1: tls can't be null$/);
});

test('what is not YAML, not a map, or has a key twice is refused with its line', async (t) => {
  t.match(refusal(t, { yaml: 'port: 1\nmode: [\n' }).what, /app\.yaml:\d: this is not YAML$/);
  t.match(refusal(t, { yaml: '- a\n' }).what, /app\.yaml:1: expected keys with values$/);
  t.match(refusal(t, { yaml: 'port: 1\nport: 2\n' }).what, /app\.yaml:2: this is not YAML$/);
});

test('a file that was named has to exist, and has to be readable', async (t) => {
  const folder = t.testdir({ folder: {} });
  const open = (explicitFile: string) => () =>
    loadConfig({ schema, explicitFile, searchFiles: [], environment: {}, variablePrefix: 'APP_', flags: {} });
  t.throws(open(join(folder, 'none.yaml')), { code: 'CONFIG_UNREADABLE', why: 'there is no such file' });
  t.throws(open(join(folder, 'folder')), { code: 'CONFIG_UNREADABLE' });
});

test('paths are written as flags and as variables', async (t) => {
  t.equal(flagOfPath('kafka.topicPrefix'), 'kafka.topic-prefix');
  t.equal(variableOfPath('kafka.topicPrefix', 'APP_'), 'APP_KAFKA__TOPIC_PREFIX');
});

test('what is YAML and yet no configuration is refused with file and reason', async (t) => {
  const twice = refusal(t, { yaml: 'port: 1\n---\nport: 2\n' });
  t.match(twice.message, /app\.yaml:2: this is not YAML: it holds more than one document/);
  const levels = ['a: &a [1,1,1,1,1,1,1,1,1,1]'];
  for (const [from, to] of ['ab', 'bc', 'cd', 'de', 'ef'])
    levels.push(`${to}: &${to} [${Array(10).fill(`*${from}`).join(',')}]`);
  const bomb = refusal(t, { yaml: `${levels.join('\n')}\n` });
  t.match(bomb.message, /cannot read .*app\.yaml: Excessive alias count/);
});
