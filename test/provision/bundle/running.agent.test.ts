import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import t, { type Test } from 'tap';
import { ownDockerEngine, whyNoEngine } from '../../helpers/docker-engine.ts';
import { bundleInto, unpack } from '../../helpers/make-bundle.ts';
import { runTool } from '../../helpers/run-tool.ts';
import { tempDir } from '../../helpers/temp.ts';
import { until } from '../../helpers/until.ts';

t.setTimeout(240_000);

/** The budget is 72 MB; pages of the program file count as the kernel likes, hence the margin. */
const MOST_RESIDENT_BYTES = 80e6;

const tree = await unpack(await bundleInto(await tempDir(t)), await tempDir(t));

/** Runs the agent of the bundle; it is ended with the test. */
async function runAgent(t: Test, kafka: string): Promise<{ pid: number; said: () => string }> {
  const dataDir = await tempDir(t);
  const config = join(dataDir, 'ericht.yaml');
  await writeFile(config, `transport: kafka\nkafka: ${kafka}\ndataDir: ${dataDir}\ninterval: 200ms\n`);
  const child = spawn(join(tree, 'bin/ericht'), ['agent', '--config', config], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said += text;
  });
  t.teardown(async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });
  return { pid: child.pid!, said: () => said };
}

t.test('with reports waiting on disk it stays within its memory', async (t) => {
  const { pid, said } = await runAgent(t, '{ brokers: ["127.0.0.1:1"] }');
  await until('it says that nothing is acknowledged', () => said().includes('KAFKA_UNREACHABLE'));
  const spool = async () => (await readFile(`/proc/${pid}/io`, 'utf8')).match(/^write_bytes: (\d+)$/m)?.[1];
  await until('reports are on disk', async () => Number(await spool()) > 50_000);
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const residentBytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
  t.comment(`${(residentBytes / 1e6).toFixed(1)} MB resident`);
  t.ok(residentBytes < MOST_RESIDENT_BYTES, `${residentBytes} bytes`);
});

t.test('TLS works in it, and a stranger is refused', async (t) => {
  const folder = await tempDir(t);
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  await runTool('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, ...subject]);
  const protocols: (string | null)[] = [];
  const server = createServer({ key: await readFile(key), cert: await readFile(cert) }, (socket) => {
    protocols.push(socket.getProtocol());
    socket.on('error', () => {});
  });
  server.on('tlsClientError', () => {});
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => {
    server.close();
  });
  const broker = `localhost:${(server.address() as AddressInfo).port}`;

  const stranger = await runAgent(t, `{ brokers: ["${broker}"], tls: {} }`);
  await until('it refuses', () => /self-signed certificate.*Set kafka\.tls\.caFile/.test(stranger.said()));
  const known = await runAgent(t, `{ brokers: ["${broker}"], tls: { caFile: "${cert}" } }`);
  await until('a connection stands', () => protocols.includes('TLSv1.3') && known.pid > 0);
  t.strictSame([...new Set(protocols)], ['TLSv1.3']);
});

const noEngine = await whyNoEngine();
t.test('it asks a Docker Engine at its socket', { skip: noEngine ?? false }, async (t) => {
  const { socketPath } = await ownDockerEngine(t);
  const env = { ...process.env, ERICHT_DOCKER__SOCKET: socketPath };
  const report = JSON.parse(await runTool(join(tree, 'bin/ericht'), ['agent', '--once', '-o', 'json'], { env }));
  t.match(report.docker, { engine: 'running', version: /^\d/, swarmRole: 'none', runningContainers: 0 });
});
