import { once } from 'node:events';
import { renameSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { DockerSampler } from '../../../agent/samplers/docker.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import { tempDir } from '../../helpers/temp.ts';

const never = new AbortController().signal;

function sampler(t: Test, ...socketPaths: string[]) {
  const made = new DockerSampler({ clock: new ManualClock(), sysfs: '/nonexistent', socketPaths });
  t.teardown(() => made.stop());
  return made;
}

t.test('no engine is absent, not failed', async (t) => {
  const directory = await tempDir(t);
  t.same(await sampler(t, join(directory, 'docker.sock'), join(directory, 'other.sock')).find(), {
    subject: 'docker',
    found: false,
    detail: `no Docker Engine here: there is no ${directory}/docker.sock`,
  });
});

t.test('the socket of an engine that has ended says so, and nothing of containers', async (t) => {
  const directory = await tempDir(t);
  const server = createServer().listen(join(directory, 'live.sock'));
  await once(server, 'listening');
  // What a killed engine leaves: a socket file behind which nobody listens.
  renameSync(join(directory, 'live.sock'), join(directory, 'docker.sock'));
  server.close();
  await once(server, 'close');
  const docker = sampler(t, join(directory, 'docker.sock'));
  t.match(await docker.find(), { found: true, detail: `the Docker Engine at ${directory}/docker.sock is not running` });
  t.equal(docker.hasNews(), false);
  t.same(await docker.sample(never), { docker: { engine: 'stopped' } });
  t.same(docker.facts(), {});
});

t.test('something else behind the socket is told, not believed', async (t) => {
  const directory = await tempDir(t);
  const path = join(directory, 'docker.sock');
  const server = createServer((socket) => socket.end('SSH-2.0-nonsense\r\n\r\n')).listen(path);
  t.teardown(() => server.close());
  await once(server, 'listening');
  const docker = sampler(t, path);
  t.match(await docker.find(), { found: false, detail: /does not answer/ });
  await t.rejects(docker.sample(never), /no Docker Engine was found/);
});

t.test('an engine whose answers make no sense is told in a sentence', async (t) => {
  const path = join(await tempDir(t), 'docker.sock');
  const server = createHttpServer(({ url = '' }, answer) => {
    answer.setHeader('content-type', 'application/json');
    if (url.startsWith('/events')) answer.write('\n');
    else answer.end(url.startsWith('/info') ? '{"ServerVersion":"1"}' : '[{}]');
  }).listen(path);
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  const detail = `what answers at ${path} is no Docker Engine`;
  t.match(await sampler(t, path).find(), { found: false, detail });
});

t.test('a stop in the middle of a first look that gets no answer is quick', async (t) => {
  const directory = await tempDir(t);
  const path = join(directory, 'docker.sock');
  const server = createServer().listen(path);
  t.teardown(() => server.close());
  await once(server, 'listening');
  const docker = new DockerSampler({ clock: new ManualClock(), sysfs: '/nonexistent', socketPaths: [path] });
  const look = docker.find();
  await once(server, 'connection');
  await docker.stop();
  t.match(await look, { found: false });
});
