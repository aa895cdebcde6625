import { once } from 'node:events';
import { renameSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type Dockerode from 'dockerode';
import t from 'tap';
import { DockerSampler, toContainer } from '../../../agent/samplers/docker.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import { tempDir } from '../../helpers/temp.ts';

const sampler = (...socketPaths: string[]) =>
  new DockerSampler({ clock: new ManualClock(), sysfs: '/nonexistent', socketPaths });

t.test('no engine is absent, not failed', async (t) => {
  const directory = await tempDir(t);
  t.same(await sampler(join(directory, 'docker.sock'), join(directory, 'other.sock')).find(), {
    subject: 'docker',
    found: false,
    detail: `no Docker Engine here: there is no ${directory}/docker.sock`,
  });
});

t.test('the socket of an engine that has ended says so', async (t) => {
  const directory = await tempDir(t);
  const server = createServer().listen(join(directory, 'live.sock'));
  await once(server, 'listening');
  // What a killed engine leaves: a socket file behind which nobody listens.
  renameSync(join(directory, 'live.sock'), join(directory, 'docker.sock'));
  server.close();
  await once(server, 'close');
  t.match(await sampler(join(directory, 'docker.sock')).find(), {
    found: false,
    detail: `the Docker Engine at ${directory}/docker.sock is not running`,
  });
});

t.test('something else behind the socket is told, not believed', async (t) => {
  const directory = await tempDir(t);
  const server = createServer((socket) => socket.end('SSH-2.0-nonsense\r\n\r\n')).listen(
    join(directory, 'docker.sock'),
  );
  t.teardown(() => server.close());
  await once(server, 'listening');
  t.match(await sampler(join(directory, 'docker.sock')).find(), { found: false, detail: /does not answer/ });
});

t.test("the engine's words become those of a report", async (t) => {
  const listed = (more: object) =>
    ({
      Id: '0123456789abcdef0123456789abcdef',
      Names: ['/kafka-1'],
      Image: 'apache/kafka:4.1.0',
      State: 'running',
      Status: 'Up 2 hours',
      ...more,
    }) as Dockerode.ContainerInfo;
  t.same(toContainer(listed({}), 2), {
    id: '0123456789ab',
    name: 'kafka-1',
    image: 'apache/kafka:4.1.0',
    state: 'running',
    restarts: 2,
  });
  t.equal(toContainer(listed({ Status: 'Up 2 hours (healthy)' }), 0).health, 'healthy');
  t.equal(toContainer(listed({ Status: 'Up 2 hours (unhealthy)' }), 0).health, 'unhealthy');
  t.equal(toContainer(listed({ Status: 'Up 3 seconds (health: starting)' }), 0).health, 'starting');
  t.equal(toContainer(listed({ Status: 'Up 3 days (Paused)', State: 'paused' }), 0).health, undefined);
  t.equal(toContainer(listed({ Names: [] }), undefined).name, '0123456789ab', 'a container may have no name');
});
