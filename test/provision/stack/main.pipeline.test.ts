import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'tap';
import { systemClock } from '../../../lib/clock.ts';
import { brokersReady, cassandraReady } from '../../../provision/stack/probe.ts';
import { freePort, type Teardown, tempDir, until } from '../../helpers/stack.ts';

const main = fileURLToPath(new URL('../../../provision/stack/main.ts', import.meta.url));

interface Ports {
  kafka: number;
  cassandra: number;
}

async function stackCommand(t: Teardown, directory: string, ports: Ports) {
  const flags = ['--dir', directory, '--kafka-port', ports.kafka, '--cassandra-port', ports.cassandra];
  flags.push('--kafka-controller-port', await freePort(), '--cassandra-storage-port', await freePort());
  const child = spawn(process.execPath, [main, ...flags.map(String)], { stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { out: '', err: '' };
  child.stdout.on('data', (text) => {
    said.out += text;
  });
  child.stderr.on('data', (text) => {
    said.err += text;
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  t.teardown(() => child.kill('SIGKILL'));
  return { child, said, exited };
}

test('npm run stack says where everything is, and Ctrl-C stops both servers and keeps the data', async (t) => {
  const directory = await tempDir(t);
  const ports = { kafka: await freePort(), cassandra: await freePort() };
  const { child, said, exited } = await stackCommand(t, directory, ports);
  await until('the stack is announced', () => said.out.includes('Ctrl-C') || child.exitCode !== null, {
    limitMs: 120_000,
  });
  t.match(said.out, `kafka: { brokers: ["127.0.0.1:${ports.kafka}"] }`);
  t.match(said.out, `stores: { cassandra: { contactPoints: [127.0.0.1], port: ${ports.cassandra} } }`);
  t.match(said.err, `Data in ${directory}`);
  t.equal(await brokersReady('127.0.0.1', ports.kafka, systemClock), 1);
  t.equal(await cassandraReady('127.0.0.1', ports.cassandra, systemClock), true);
  child.kill('SIGINT');
  t.equal(await exited, 0, said.err);
  t.equal(await brokersReady('127.0.0.1', ports.kafka, systemClock), 0);
  t.equal(await cassandraReady('127.0.0.1', ports.cassandra, systemClock), false);
  t.ok(existsSync(join(directory, 'kafka', 'broker-1', 'data', 'meta.properties')));
  t.ok(existsSync(join(directory, 'cassandra', 'node-1', 'data', 'commitlog')));

  const again = await stackCommand(t, directory, ports);
  await until('the servers are being started', () => again.said.err.includes('Starting'), { limitMs: 60_000 });
  again.child.kill('SIGTERM');
  t.equal(await again.exited, 0, 'a stop while they start is no failure');
});

test('a killed command leaves no server behind', async (t) => {
  const ports = { kafka: await freePort(), cassandra: await freePort() };
  const { child, said } = await stackCommand(t, await tempDir(t), ports);
  const answers = async () => (await brokersReady('127.0.0.1', ports.kafka, systemClock)) > 0;
  await until('Kafka answers', async () => (await answers()) || child.exitCode !== null, { limitMs: 120_000 });
  t.equal(child.exitCode, null, said.err);
  child.kill('SIGKILL');
  t.ok(await until('Kafka is gone', async () => !(await answers()), { limitMs: 30_000 }));
});

/** The process id of the child of `parent` whose command line holds `word`. */
function childOf(parent: number | undefined, word: string): number {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' }).split('\n');
  const mine = lines.map((line) => line.trim().split(/\s+/)).filter(([, ppid]) => Number(ppid) === parent);
  const [pid] = mine.find((line) => line.join(' ').includes(word)) ?? [];
  return Number(pid);
}

test('a second stack stays out of the folder; when a server ends by itself, the command says which and stops the other', async (t) => {
  const ports = { kafka: await freePort(), cassandra: await freePort() };
  const directory = await tempDir(t);
  const { child, said, exited } = await stackCommand(t, directory, ports);
  await until('the stack is announced', () => said.out.includes('Ctrl-C') || child.exitCode !== null, {
    limitMs: 120_000,
  });
  const other = { kafka: await freePort(), cassandra: await freePort() };
  const second = await stackCommand(t, directory, other);
  t.equal(await second.exited, 2);
  t.match(second.said.err, `${directory} is in use by process ${child.pid}`);

  process.kill(childOf(child.pid, 'kafka.Kafka'), 'SIGKILL');
  t.equal(await exited, 1);
  t.match(said.err, /kafka-1 ended by itself: its log ends with/);
  t.equal(await cassandraReady('127.0.0.1', ports.cassandra, systemClock), false);
});

test('a taken port is an error that names the flag', async (t) => {
  const ports = { kafka: await freePort(), cassandra: await freePort() };
  const listener = createServer().listen(ports.cassandra, '127.0.0.1');
  await new Promise((resolve) => listener.once('listening', resolve));
  t.teardown(() => listener.close());
  const { said, exited } = await stackCommand(t, await tempDir(t), ports);
  t.equal(await exited, 2);
  t.match(said.err, `port ${ports.cassandra} on 127.0.0.1, for Cassandra, is taken`);
  t.match(said.err, '--cassandra-port');
  t.equal(said.out, '');
});
