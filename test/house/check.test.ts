import { test } from 'tap';
import { check } from './check.ts';

/** Path, text, and the rule that must be reported. Pieces, where the text would break a rule of this very file. */
const BAD: [path: string, text: string, rule: string][] = [
  ['lib/a.ts', `import { x } from '../telemetry/report.ts';`, 'imports'],
  ['telemetry/a.ts', `import type { Log } from '../lib/log.ts';`, 'imports'],
  ['kafka/a.ts', `import { x } from '../telemetry/topics.ts';`, 'imports'],
  ['agent/a.ts', `import { x } from '../collector/record.ts';`, 'imports'],
  ['agent/samplers/a.ts', `export * from '../../collector/record.ts';`, 'imports'],
  ['collector/a.ts', `const x = await import('../agent/agent.ts');`, 'imports'],
  ['collector/store/sqlite/a.ts', `import { x } from '../../../agent/agent.ts';`, 'imports'],
  ['dashboard/server/a.ts', `import { x } from '../../collector/collector.ts';`, 'imports'],
  ['provision/a.ts', `import { x } from '../kafka/client.ts';`, 'imports'],
  ['agent/a.ts', `import { main } from '../cli/main.ts';`, 'imports'],
  ['agent/a.ts', `import {\n  a,\n  b,\n} from '../dashboard/x.ts';`, 'imports'],
  ['stray/a.ts', `import { x } from '../lib/log.ts';`, 'imports'],
  ['agent/a.ts', `import kafkajs from 'kafkajs';`, 'kafkajs'],
  ['agent/a.ts', `import type { Kafka } from 'kafkajs';`, 'kafkajs'],
  ['collector/a.ts', `import x from 'kafkajs/src/producer';`, 'kafkajs'],
  ['collector/store/sqlite/a.ts', `import { Client } from 'cassandra-driver';`, 'cassandra-driver'],
  ['collector/a.ts', `import { DatabaseSync } from 'node:sqlite';`, 'node:sqlite'],
  ['collector/a.ts', `const { schedule } = require('node-cron');`, 'node-cron'],
  ['agent/a.ts', `import i2c from 'i2c-bus';`, 'i2c-bus'],
  ['agent/a.ts', `import { env } from 'node:process';`, 'node:process'],
  ['agent/a.ts', `import { env } from 'process';`, 'node:process'],
  ['agent/a.ts', `import { setTimeout } from 'node:timers/promises';`, 'node:timers/promises'],
  ['agent/a.ts', `const home = process.env.HOME;`, 'process.env'],
  ['agent/a.ts', `const home = process?.env['HOME'];`, 'process.env'],
  ['agent/a.ts', `const text = \`in \${process.env.HOME} it is\`;`, 'process.env'],
  ['agent/a.ts', `const { env } = process;`, 'process taken apart'],
  ['collector/a.ts', `process.exit(1);`, 'process.exit'],
  ['collector/a.ts', `const t = Date.now();`, 'Date.now'],
  ['collector/a.ts', `const now = Date.now;`, 'Date.now'],
  ['collector/a.ts', `const t = new Date();`, 'new Date()'],
  ['collector/a.ts', `const t = new Date().getTime();`, 'new Date()'],
  ['collector/a.ts', `const t = +new Date;`, 'new Date()'],
  ['collector/a.ts', `const t = performance.now();`, 'performance.now'],
  ['collector/a.ts', `const t = process.hrtime.bigint();`, 'process.hrtime'],
  ['collector/a.ts', `setTimeout(() => {}, 10);`, 'setTimeout'],
  ['collector/a.ts', `const wait = promisify(setTimeout);`, 'setTimeout'],
  ['collector/a.ts', `globalThis.setTimeout(f, 10);`, 'setTimeout'],
  ['collector/a.ts', `const t = setInterval(f, 10);`, 'setInterval'],
  ['collector/a.ts', `fetch(url, { signal: AbortSignal.timeout(5) });`, 'AbortSignal.timeout'],
  ['collector/a.ts', `const half = total / 2; setTimeout(f, half / 2);`, 'setTimeout'],
  ['collector/a.ts', `const quote = /['"]/; const t = Date.now();`, 'Date.now'],
  ['agent/diskUsage.ts', '', 'names'],
  ['agent/DiskUsage.ts', '', 'names'],
  ['agent/disk_usage.ts', '', 'names'],
  ['lib/utils.ts', '', 'names'],
  ['lib/string-util.ts', '', 'names'],
  ['lib/utils/text.ts', '', 'names'],
  ['agent/a.ts', 'x;\n'.repeat(401), 'length'],
  ['docs/a.md', `see ${'/work'}/main/README.md`, 'machine'],
  ['agent/a.ts', `// as in ${'/root'}/notes`, 'machine'],
  ['docs/a.md', `cd ${'/home'}/someone/ericht`, 'machine'],
  ['package-lock.json', `"resolved": "https://${'registry'}.example.org/x.tgz"`, 'machine'],
  ['.npmrc', `registry=https://${'mirror'}.example.org/`, 'machine'],
];

const GOOD: [path: string, text: string][] = [
  ['agent/a.ts', `import { x } from '../telemetry/report.ts';\nimport { y } from '../kafka/producer.ts';`],
  ['agent/samplers/a.ts', `import { x } from '../sampler.ts';\nimport { readFile } from 'node:fs/promises';`],
  ['dashboard/server/a.ts', `import type { StoreReader } from '../../collector/store/port.ts';`],
  ['cli/start.ts', `import { x } from '../collector/collector.ts';`],
  ['kafka/client.ts', `import kafkajs from 'kafkajs';`],
  ['collector/store/cassandra/a.ts', `import { Client } from 'cassandra-driver';`],
  ['test/a.test.ts', `import kafkajs from 'kafkajs';\nimport { x } from '../agent/agent.ts';\nDate.now();`],
  ['lib/clock.ts', `export const now = () => Date.now();\nsetTimeout(f, 1);`],
  ['cli/main.ts', `process.exit(process.env.X ? 0 : 1);`],
  ['collector/store/sqlite/worker.ts', `process.exit(1);`],
  ['dashboard/web/page.tsx', `const t = Date.now();\nsetTimeout(f, 1);\nconst a = <p>don't</p>;`],
  ['agent/a.ts', `// Date.now() would jump\n/* setTimeout */ const text = 'process.env.HOME';`],
  ['agent/a.ts', `const text = \`setTimeout(\${name}) and Date.now()\`;`],
  ['agent/a.ts', `const pattern = /setTimeout\\(/;\nconst at = new Date(ms);\nsocket.setTimeout(5);`],
  ['agent/a.ts', `const text = "import kafkajs from 'kafkajs'";`],
  ['agent/001-first-step.sql', ''],
  ['docs/a.md', 'https://www.npmjs.com/package/kafkajs, the network/root/cause and ~/work/x'],
];

for (const [path, text, rule] of BAD) {
  test(`${path} is told that it breaks "${rule}": ${JSON.stringify(text.slice(0, 50))}`, async (t) => {
    t.ok(
      check([{ path, text }], []).some((violation) => violation.path === path && violation.rule === rule),
      `reported: ${JSON.stringify(check([{ path, text }], []))}`,
    );
  });
}

for (const [path, text] of GOOD) {
  test(`${path} is left alone: ${JSON.stringify(text.slice(0, 50))}`, async (t) => {
    t.same(check([{ path, text }], []), []);
  });
}

test('a second file that wraps the bus is reported', async (t) => {
  const text = `import i2c from 'i2c-bus';`;
  const files = ['hardware/bus.ts', 'hardware/other.ts'].map((path) => ({ path, text }));
  t.match(check(files, []), [{ path: 'hardware/other.ts', rule: 'i2c-bus', message: /beside hardware\/bus\.ts/ }]);
});

test('a violation is told with its line', async (t) => {
  t.match(check([{ path: 'agent/a.ts', text: `// one\n\nDate.now();\n` }], []), [{ line: 3 }]);
});

test('an exception is made for one file and one rule, and one that nobody needs is reported', async (t) => {
  const exceptions = [
    { path: 'agent/a.ts', rule: 'Date.now', reason: 'a test of this' },
    { path: 'agent/b.ts', rule: 'Date.now', reason: 'a test of this' },
  ];
  const files = [{ path: 'agent/a.ts', text: 'Date.now(); process.exit();' }];
  t.match(check(files, exceptions), [
    { path: 'agent/a.ts', rule: 'process.exit' },
    { path: 'agent/b.ts', rule: 'exceptions' },
  ]);
});
