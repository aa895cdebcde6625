import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { test } from 'tap';
import { parse } from 'yaml';
import { renderComposeFiles } from '../../provision/compose/render.ts';
import { readVersions } from '../../provision/stack/versions.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

for (const [path, text] of Object.entries(renderComposeFiles())) {
  test(`provision/compose/${path} is fresh: if not, run "node provision/compose/main.ts"`, async (t) => {
    t.equal(await readFile(`${root}provision/compose/${path}`, 'utf8'), text);
  });
}

interface Service {
  image: string;
  ports: string[];
  privileged?: boolean;
  cap_drop: string[];
  volumes: string[];
}

test('compose.yaml names the pinned images, listens on loopback only and asks for no right', async (t) => {
  const versions = await readVersions();
  const { services } = parse(await readFile(`${root}compose.yaml`, 'utf8')) as { services: Record<string, Service> };
  t.same(Object.keys(services).sort(), ['cassandra', 'kafka']);
  t.equal(services.kafka?.image, versions.kafka.image);
  t.equal(services.cassandra?.image, versions.cassandra.image);
  for (const { ports, privileged, cap_drop: dropped, volumes } of Object.values(services)) {
    t.ok(ports.length > 0 && ports.every((port) => port.startsWith('127.0.0.1:')));
    t.notOk(privileged);
    t.same(dropped, ['ALL']);
    t.ok(volumes.some((volume) => volume.endsWith(':/etc/ericht:ro')));
  }
});

test('in a container clients are let in from outside, and told the published address', async (t) => {
  const files = renderComposeFiles();
  t.match(files['kafka/server.properties'], /^listeners=PLAINTEXT:\/\/:9092,CONTROLLER:\/\/127\.0\.0\.1:9093$/m);
  t.match(files['kafka/server.properties'], /^advertised\.listeners=PLAINTEXT:\/\/127\.0\.0\.1:9092$/m);
  t.match(files['cassandra/cassandra.yaml'], /^rpc_address: 0\.0\.0\.0\nbroadcast_rpc_address: 127\.0\.0\.1$/m);
});
