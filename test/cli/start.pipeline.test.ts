import { spawn } from 'node:child_process';
import { existsSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { test } from 'tap';
import type { Status } from '../../telemetry/status.ts';
import { freePort } from '../helpers/free-port.ts';
import { type Running, runEricht, startEricht } from '../helpers/run-ericht.ts';
import { type Teardown, tempDir } from '../helpers/temp.ts';
import { until } from '../helpers/until.ts';

const DATA = '.local/share/ericht';
const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));

/** The address that it tells a person. */
function addressOf(running: Running): Promise<string> {
  return until('the address is told', () => /Ericht runs: (http:\S+)/.exec(running.stderr())?.[1]);
}

async function statusAt(url: string): Promise<Status | undefined> {
  try {
    return (await (await fetch(`${url}/api/status`)).json()) as Status;
  } catch {
    // Not open yet.
    return undefined;
  }
}

function rowsIn(folder: string): { node_id: string; run_id: string; seq: number; simulated: number | null }[] {
  const database = new DatabaseSync(join(folder, 'ericht.db'), { readOnly: true });
  try {
    return database.prepare('SELECT node_id, run_id, seq, simulated FROM node_health_by_node_date').all() as never;
  } finally {
    database.close();
  }
}

function occupy(t: Teardown, port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    t.teardown(() => server.close());
    // Somebody else has it already: taken is taken.
    server.once('error', () => resolve(undefined));
    server.listen({ host: '127.0.0.1', port }, () => resolve(server));
  });
}

test('a run of some seconds ends with one JSON document, and nothing lost', async (t) => {
  const folder = await tempDir(t);
  const { code, stdout } = await runEricht(t, ['start', '--for', '4s', '-o', 'json', '--port', '0'], { folder });
  t.equal(code, 0);
  const summary = JSON.parse(stdout);
  t.same(Object.keys(summary), ['schemaVersion', 'nodes', 'reports', 'dataDir']);
  const { sampled, acknowledged, stored, ...rest } = summary.reports;
  t.same(rest, { deadLettered: 0, overflowed: 0, notSent: 0, lost: 0, duplicates: 0 });
  t.equal(summary.nodes, 1);
  t.ok(sampled >= 3, `${sampled} sampled`);
  t.equal(acknowledged, sampled);
  t.equal(stored, sampled);
  t.equal(summary.dataDir, join(folder, DATA));
  t.equal(rowsIn(summary.dataDir).length, stored, 'as many rows as it says, counted without it');
});

test('the page has values within 5 s of the start, and Ctrl-C stops it within 3 s with all kept', async (t) => {
  const folder = await tempDir(t);
  const port = await freePort();
  const startedAt = performance.now();
  const running = startEricht(t, ['start', '--port', String(port)], { folder });
  const url = `http://127.0.0.1:${port}`;
  await until('there are values', async () => {
    const node = (await statusAt(url))?.nodes[0];
    return node?.state === 'live' && node.memoryUsedBytes !== undefined;
  });
  const paintedMs = performance.now() - startedAt;
  t.ok(paintedMs < 5000, `values after ${Math.round(paintedMs)} ms`);
  const page = await fetch(url);
  t.match(await page.text(), /<html/);

  const stoppedAt = performance.now();
  running.process.kill('SIGINT');
  const { code, stdout, stderr } = await running.ended;
  const stopMs = performance.now() - stoppedAt;
  t.ok(stopMs < 3000, `stopped after ${Math.round(stopMs)} ms`);
  t.equal(code, 0);
  t.equal(stdout, '', 'data goes to standard output, and there is none');
  for (const said of ['Found on this machine', 'cpu', 'Ctrl-C stops it', join(folder, DATA)])
    t.ok(stderr.includes(said), said);
  const audit = await runEricht(t, ['audit', '-o', 'json'], { folder });
  t.equal(audit.code, 0);
  const { totals } = JSON.parse(audit.stdout);
  t.match(totals, { lost: 0, duplicates: 0, unknown: 0, untoldRuns: 0 });
  t.equal(totals.stored, rowsIn(join(folder, DATA)).length);
});

test('a stop that is asked of npm reaches what npm has started', async (t) => {
  const folder = await tempDir(t);
  const npm = spawn('npm', ['start', '-s', '--', '--port', '0', '--data-dir', folder], {
    cwd: REPOSITORY,
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  t.teardown(() => {
    try {
      process.kill(-npm.pid!, 'SIGKILL');
    } catch {
      // Nothing of it is left, which is what is tested.
    }
  });
  let said = '';
  npm.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk;
  });
  const url = await until('the address is told', () => /Ericht runs: (http:\S+)/.exec(said)?.[1]);
  npm.kill('SIGTERM');
  await until('the page is gone', async () => (await statusAt(url)) === undefined);
  await until('it says that it stopped', () => said.includes('Stopped. What was read is kept'));
  t.match(said, /Stopped\. What was read is kept/);
});

test('without real data, a look names the folder of the simulated boards', async (t) => {
  const folder = await tempDir(t);
  await runEricht(t, ['start', '--simulate', '1', '--for', '1s', '--port', '0'], { folder });
  const simulated = join(folder, `${DATA}-simulated`);
  for (const verb of ['status', 'audit']) {
    const { code, stderr } = await runEricht(t, [verb], { folder });
    t.equal(code, 3);
    t.ok(stderr.includes(`--data-dir ${simulated}`), stderr);
  }
  const status = await runEricht(t, ['status', '--data-dir', simulated], { folder });
  t.match(status.stdout, /^Pipeline {3}link -> SQLite answers$/m, 'whether the link works is not known from outside');
  const audit = await runEricht(t, ['audit', '--data-dir', simulated], { folder });
  t.match(audit.stdout, /with a goodbye$/m);
  t.match(audit.stdout, / 1 run of 1 node /);
});

test('a default port that is taken moves to the next free one, and both say so', async (t) => {
  await occupy(t, 8080);
  const running = startEricht(t, ['start'], { folder: await tempDir(t) });
  const url = await addressOf(running);
  t.not(new URL(url).port, '8080');
  t.match(running.stderr(), /Port 8080 is taken/);
  t.ok(await until('the page answers', () => statusAt(url)));
});

test('a page that is open to the network says so, and one that is not says nothing of it', async (t) => {
  for (const [address, expected] of [
    ['0.0.0.0', true],
    ['127.0.0.1', false],
  ] as const) {
    const running = startEricht(t, ['start', '--listen', address, '--port', '0'], { folder: await tempDir(t) });
    await addressOf(running);
    await until('it has told all', () => running.stderr().includes('Ctrl-C stops it'));
    t.equal(/can see the page/.test(running.stderr()), expected);
  }
});

test('a port that was asked for and is taken is an error with exit code 2', async (t) => {
  const port = await freePort();
  await occupy(t, port);
  const { code, stdout, stderr } = await runEricht(t, ['start', '--port', String(port)], { folder: await tempDir(t) });
  t.equal(code, 2);
  t.equal(stdout, '');
  t.match(stderr, new RegExp(`^ericht: port ${port} on 127\\.0\\.0\\.1 is taken\\. Choose another`, 'm'));
});

test('eight simulated boards are a cluster of their own, each row marked, in a folder of their own', async (t) => {
  const folder = await tempDir(t);
  const args = ['start', '--simulate', '8', '--for', '4s', '-o', 'json', '--port', '0'];
  const running = startEricht(t, args, { folder });
  const url = await addressOf(running);
  const status = await until('eight boards are live', async () => {
    const now = await statusAt(url);
    return now?.nodes.filter(({ state }) => state === 'live').length === 8 ? now : undefined;
  });
  t.equal(status.simulated, true);
  t.equal(status.clusterId, 'simulated');
  t.ok(status.nodes.every(({ simulated }) => simulated));
  t.equal(status.power.measuredNodes, 8);

  const summary = JSON.parse((await running.ended).stdout);
  t.equal(summary.nodes, 8);
  t.match(summary.reports, { lost: 0, duplicates: 0, notSent: 0 });
  t.equal(summary.dataDir, join(folder, `${DATA}-simulated`));
  t.notOk(existsSync(join(folder, DATA)), 'the folder of real boards is not touched');
  const rows = rowsIn(summary.dataDir);
  t.equal(rows.length, summary.reports.stored);
  t.ok(
    rows.every(({ simulated }) => simulated === 1),
    'each row says so',
  );
});

test('a second process on the same data is refused with exit code 2, and the first goes on', async (t) => {
  const folder = await tempDir(t);
  const first = startEricht(t, ['start', '--port', '0'], { folder });
  const url = await addressOf(first);
  const { code, stderr } = await runEricht(t, ['start', '--port', '0'], { folder });
  t.equal(code, 2);
  t.match(stderr, /^ericht: /);
  t.ok(await statusAt(url));
});

test('a data folder that cannot be made is refused with exit code 2', async (t) => {
  const folder = await tempDir(t);
  writeFileSync(join(folder, 'file'), '');
  symlinkSync(join(folder, 'nothing'), join(folder, 'dangling'));
  for (const place of ['file', 'dangling']) {
    const dataDir = join(folder, place, 'data');
    const { code, stdout, stderr } = await runEricht(t, ['start', '--port', '0', '--data-dir', dataDir], { folder });
    t.equal(code, 2);
    t.equal(stdout, '');
    t.ok(stderr.startsWith(`ericht: cannot make the folder ${dataDir}: `), stderr);
  }
});

test('status tells live and stopped from the data directory, and from a page', async (t) => {
  const folder = await tempDir(t);
  const running = startEricht(t, ['start', '--port', '0'], { folder });
  const url = await addressOf(running);
  await until('the node is live', async () => (await statusAt(url))?.nodes[0]?.state === 'live');
  for (const args of [[], ['--server', url]]) {
    const { code, stdout } = await runEricht(t, ['status', '-o', 'json', ...args], { folder });
    t.equal(code, 0);
    const status = JSON.parse(stdout);
    t.match(status.nodes, [{ state: 'live' }]);
    t.match(status.at, /^\d{4}-\d\d-\d\dT.*Z$/);
    t.match(status.nodes[0].lastSeenAt, /^\d{4}-\d\d-\d\dT.*Z$/);
    t.match(status.pipeline, { transport: 'link', store: { kind: 'sqlite', reachable: true } });
  }
  running.process.kill('SIGTERM');
  t.equal((await running.ended).code, 0);
  const { code, stdout } = await runEricht(t, ['status', '--fields', 'state', '--no-headers'], { folder });
  t.equal(stdout, 'stopped\n');
  t.equal(code, 0, 'a node that said goodbye is nothing to be alarmed at');
});

test('a node that was killed is silent: status says so and exits 4', async (t) => {
  const folder = await tempDir(t);
  const running = startEricht(t, ['start', '--port', '0'], { folder });
  const states = () => runEricht(t, ['status', '--fields', 'state', '--no-headers'], { folder });
  await until('a report is stored', async () => (await states()).stdout === 'live\n');
  running.process.kill('SIGKILL');
  await running.ended;
  const silent = await until('it is silent', async () => {
    const now = await states();
    return now.stdout === 'silent\n' ? now : undefined;
  });
  t.equal(silent.code, 4);
  const { code, stdout } = await runEricht(t, ['audit', '-o', 'json'], { folder });
  t.equal(code, 0, 'what a dead run never told is unknown, not lost');
  t.match(JSON.parse(stdout).totals, { lost: 0, duplicates: 0 });
});

test('where nothing was stored, status and audit say so and exit 3', async (t) => {
  const folder = await tempDir(t);
  for (const verb of ['status', 'audit']) {
    const { code, stdout, stderr } = await runEricht(t, [verb], { folder });
    t.equal(code, 3);
    t.equal(stdout, '');
    t.match(stderr, /^ericht: nothing is stored in /);
  }
  const { code } = await runEricht(t, ['status', '--server', `http://127.0.0.1:${await freePort()}`], { folder });
  t.equal(code, 3);
});

test('agent --once prints one report, sends nothing and keeps nothing', async (t) => {
  const folder = await tempDir(t);
  const { code, stdout } = await runEricht(t, ['agent', '--once', '-o', 'json', '--node-id', 'bench-1'], { folder });
  t.equal(code, 0);
  const report = JSON.parse(stdout);
  t.equal(report.nodeId, 'bench-1');
  t.match(report.timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  t.ok(report.memory.totalBytes > 0);
  t.ok(report.cpu.usageRatio >= 0 && report.cpu.usageRatio <= 1, 'usage exists only between two samplings');
  t.notOk(existsSync(join(folder, '.local')));
});
