import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { runEricht } from '../helpers/run-ericht.ts';
import { type Teardown, tempDir } from '../helpers/temp.ts';

const KAFKA = 'transport: kafka\nkafka:\n  brokers: [ "127.0.0.1:9092" ]\n';

async function check(t: Teardown, text: string, ...more: string[]) {
  const folder = await tempDir(t);
  await writeFile(join(folder, 'ericht.yaml'), text);
  return runEricht(t, ['config', 'check', ...more], { folder });
}

t.test('a configuration that a process could start with is fine', async (t) => {
  const { code, stdout } = await check(t, KAFKA);
  t.equal(code, 0);
  t.match(stdout, /ericht\.yaml: nothing is wrong\n$/);
  t.match(JSON.parse((await check(t, KAFKA, '-o', 'json')).stdout), { schemaVersion: 1, file: /ericht\.yaml$/ });
});

t.test('what is wrong is told with its line, and a file that it names must be there', async (t) => {
  const wrong = await check(t, `${KAFKA}rails:\n  - label: main\n`);
  t.equal(wrong.code, 2);
  t.match(wrong.stderr, /ericht\.yaml:\d+.*rails/);
  const noPassword = await check(t, `${KAFKA}  sasl: { username: u, passwordFile: /nowhere/password }\n`);
  t.equal(noPassword.code, 2);
  t.match(noPassword.stderr, '/nowhere/password');
});

t.test('another word is no check', async (t) => {
  const folder = await tempDir(t);
  const { code, stderr } = await runEricht(t, ['config', 'chek'], { folder });
  t.equal(code, 2);
  t.match(stderr, /has no "chek". The only one is "ericht config check"/);
});
