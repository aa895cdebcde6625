import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'tap';
import { systemClock } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import { cacheDirectory, fetchJars } from '../../provision/stack/fetch.ts';
import { isFree } from '../../provision/stack/ports.ts';
import { brokersReady, cassandraReady } from '../../provision/stack/probe.ts';
import { readVersions } from '../../provision/stack/versions.ts';
import { ownDockerEngine, whyNoEngine } from '../helpers/docker-engine.ts';
import { buildLocalImage } from '../helpers/local-images.ts';
import { tempDir, until } from '../helpers/stack.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

const missing = await whyNoEngine();
if (missing && process.env.CI === 'true') throw new Error(missing);

test('docker compose up brings Kafka and Cassandra up on loopback, and keeps the data', {
  skip: missing ?? false,
}, async (t) => {
  const taken = [9092, 9042].map((port) => isFree('127.0.0.1', port).then((free) => (free ? [] : [port])));
  t.same((await Promise.all(taken)).flat(), [], 'the ports of compose.yaml are free');
  const engine = await ownDockerEngine(t);
  const versions = await readVersions();
  const fetching = { versions, cacheDir: cacheDirectory(process.env, homedir()), clock: systemClock, log: silentLog };
  await buildLocalImage(
    engine,
    {
      tag: versions.kafka.image,
      jars: await fetchJars('kafka', fetching),
      jarsIn: '/opt/kafka/libs',
      user: { name: 'appuser', id: 1000 },
      data: '/var/lib/kafka/data',
    },
    join(await tempDir(t), 'kafka'),
  );
  await buildLocalImage(
    engine,
    {
      tag: versions.cassandra.image,
      jars: await fetchJars('cassandra', fetching),
      jarsIn: '/opt/cassandra/lib',
      user: { name: 'cassandra', id: 999 },
      data: '/var/lib/cassandra',
    },
    join(await tempDir(t), 'cassandra'),
  );
  const compose = (...words: string[]) => engine.compose(root, ...words);
  // The engine is stopped in any case, and what it ran goes with it.
  t.teardown(() => compose('down', '--volumes', '--timeout', '5').catch((error) => t.comment(error.message)));
  await compose('up', '--detach');
  const healthy = async () => {
    const states = await engine.docker('ps', '--format', '{{.Names}} {{.Status}}');
    return states.match(/\(healthy\)/g)?.length === 2;
  };
  await until('both are healthy', healthy, { limitMs: 180_000, everyMs: 500 }).catch(async (error) => {
    throw new Error(
      `${error.message}\n${await engine.docker('ps', '--all')}\n${await compose('logs', '--tail', '30')}`,
    );
  });
  t.equal(await brokersReady('127.0.0.1', 9092, systemClock), 1);
  t.equal(await cassandraReady('127.0.0.1', 9042, systemClock), true);

  await compose('down', '--timeout', '60');
  t.equal(await brokersReady('127.0.0.1', 9092, systemClock), 0);
  const volumes = await engine.docker('volume', 'ls', '--quiet');
  t.match(volumes, /kafka-data/);
  t.match(volumes, /cassandra-data/);
});
