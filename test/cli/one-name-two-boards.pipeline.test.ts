import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { stringify } from 'yaml';
import type { NodeStatus, Status } from '../../telemetry/status.ts';
import { runEricht, startEricht } from '../helpers/run-ericht.ts';
import { freePort, kafkaForTest, randomName, tempDir, until } from '../helpers/stack.ts';

const BOARD = join(import.meta.dirname, '../fixtures/boards/rpi4');

/** A recorded board with an identity of its own. */
function board(folder: string, name: string, bootId: string, serial: string): string[] {
  const root = join(folder, name);
  cpSync(BOARD, root, { recursive: true, verbatimSymlinks: true });
  writeFileSync(join(root, 'proc/sys/kernel/random/boot_id'), `${bootId}\n`);
  writeFileSync(join(root, 'sys/firmware/devicetree/base/serial-number'), `${serial}\0`);
  const paths = ['procfs', 'proc', 'sysfs', 'sys', 'dev', 'dev'];
  const flags: string[] = ['--node-id', 'board-3', '--data-dir', join(folder, `${name}-state`)];
  for (let at = 0; at < paths.length; at += 2) flags.push(`--path.${paths[at]}`, join(root, paths[at + 1] ?? ''));
  return flags;
}

test('two boards with one nodeId are named by the page and by the status, and no longer when one is silent', async (t) => {
  const folder = await tempDir(t);
  const { brokers } = await kafkaForTest(t);
  const [port, topicPrefix] = [await freePort(), `${randomName('twins')}.`];
  const kafka = { brokers, topicPrefix };
  const dataDir = join(folder, 'data');
  const docker = { socket: join(folder, 'none.sock') };
  const config = { clusterId: 'case', transport: 'kafka', store: 'sqlite', dataDir, kafka, port, docker };
  writeFileSync(join(folder, 'ericht.yaml'), stringify(config));
  const first = board(folder, 'first', '11111111-aaaa', '10000000aabbccc4');
  const second = board(folder, 'second', '22222222-bbbb', '100000001122339f');
  for (const verb of ['collector', 'dashboard']) startEricht(t, [verb], { folder });
  startEricht(t, ['agent', ...first], { folder });

  const node = async (...args: string[]) => {
    const { stdout } = await runEricht(t, ['status', ...args, '-o', 'json'], { folder });
    return stdout === '' ? undefined : JSON.parse(stdout).nodes?.[0];
  };
  const page = async (): Promise<NodeStatus | undefined> => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/status`).catch(() => undefined);
    return ((await answer?.json()) as Status | undefined)?.nodes?.[0];
  };
  const told = (shown: NodeStatus | undefined) => shown?.warnings.find((text) => /report as/.test(text));
  await until('one board is live', async () => (await page())?.lastSeenAt && (await node())?.lastSeenAt, {
    limitMs: 60_000,
  });
  t.equal(told(await page()), undefined);
  t.equal(told(await node()), undefined);

  // The same state directory, as when a service is started a second time by hand.
  const twice = await runEricht(t, ['agent', ...first], { folder });
  t.equal(twice.code, 2);
  t.match(twice.stderr + twice.stdout, /is in use by process \d+.*two processes must not write to one state directory/);

  const other = startEricht(t, ['agent', ...second], { folder });
  const sentence = 'two boards report as board-3 (serials 1000…9f and 1000…c4): give one another nodeId';
  const onPage = await until('the page names them', async () => told(await page()), { limitMs: 30_000 });
  t.equal(onPage, sentence);
  t.equal((await page())?.state, 'warning');
  t.equal(await until('the status names them', async () => told(await node()), { limitMs: 30_000 }), sentence);
  const { stdout } = await runEricht(t, ['status'], { folder });
  t.match(stdout, sentence);

  other.process.kill('SIGTERM');
  t.equal((await other.ended).code, 0);
  await until('a minute later all is well', async () => !told(await page()) && !told(await node()), {
    limitMs: 90_000,
    everyMs: 1000,
  });
  t.equal((await page())?.state, 'live');
});
