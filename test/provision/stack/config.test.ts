import { test } from 'tap';
import { parse } from 'yaml';
import { evenToken } from '../../../provision/stack/cassandra-cluster.ts';
import { renderCassandraYaml } from '../../../provision/stack/cassandra-config.ts';
import { cassandraJvmOptions } from '../../../provision/stack/cassandra-jvm.ts';
import { renderKafkaProperties } from '../../../provision/stack/kafka-config.ts';
import { renderPom } from '../../../provision/stack/pom.ts';
import { readVersions } from '../../../provision/stack/versions.ts';

function broker(id: number) {
  return { id, host: '127.0.0.1', clientPort: 20_000 + id, controllerPort: 30_000 + id };
}

function parsed(properties: string): Record<string, string> {
  const lines = properties.trim().split('\n');
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}

test('a single broker is its own quorum, and keeps what was promised', async (t) => {
  const found = parsed(renderKafkaProperties({ self: broker(1), peers: [broker(1)], dataDir: '/d/kafka' }));
  t.match(found, {
    'process.roles': 'broker,controller',
    'controller.quorum.voters': '1@127.0.0.1:30001',
    listeners: 'PLAINTEXT://127.0.0.1:20001,CONTROLLER://127.0.0.1:30001',
    'log.dirs': '/d/kafka',
    'default.replication.factor': '1',
    'min.insync.replicas': '1',
    'auto.create.topics.enable': 'false',
    'log.message.timestamp.type': 'LogAppendTime',
    'log.flush.interval.ms': '1000',
    'offsets.retention.minutes': String(2 * 365 * 24 * 60),
    'broker.session.timeout.ms': '3000',
  });
});

test('of three brokers every record is on two before it is acknowledged', async (t) => {
  const peers = [broker(1), broker(2), broker(3)];
  const found = parsed(renderKafkaProperties({ self: broker(2), peers, dataDir: '/d' }));
  t.match(found, {
    'node.id': '2',
    'controller.quorum.voters': '1@127.0.0.1:30001,2@127.0.0.1:30002,3@127.0.0.1:30003',
    'advertised.listeners': 'PLAINTEXT://127.0.0.1:20002',
    'default.replication.factor': '3',
    'min.insync.replicas': '2',
    'offsets.topic.replication.factor': '3',
  });
});

test('clients may come in by another address; the controller stays where it was', async (t) => {
  const self = { ...broker(1), clientHost: '192.168.1.10' };
  t.match(parsed(renderKafkaProperties({ self, peers: [self], dataDir: '/d' })), {
    'controller.quorum.voters': '1@127.0.0.1:30001',
    listeners: 'PLAINTEXT://192.168.1.10:20001,CONTROLLER://127.0.0.1:30001',
    'advertised.listeners': 'PLAINTEXT://192.168.1.10:20001',
  });
});

test('a backslash in a path survives the property syntax', async (t) => {
  const text = renderKafkaProperties({ self: broker(1), peers: [broker(1)], dataDir: 'C:\\data' });
  t.match(text, 'log.dirs=C:\\\\data\n');
});

const node = { clusterName: 'ericht', host: '127.0.0.1', nativePort: 9042, storagePort: 7000, seeds: ['127.0.0.1'] };

test('a Cassandra node acknowledges a row only when it is on the disk', async (t) => {
  const found = parse(renderCassandraYaml({ ...node, dataDir: '/d/with space' }));
  t.equal(found.commitlog_sync, 'group');
  t.notOk('commitlog_sync_period' in found, 'a period would be refused beside it');
  t.equal(found.native_transport_port, 9042);
  t.equal(found.commitlog_directory, '/d/with space/commitlog');
  t.equal(found.seed_provider[0].parameters[0].seeds, '127.0.0.1:7000');
  t.notOk('initial_token' in found);
});

test('Cassandra nodes that start together are all seeds and have their tokens', async (t) => {
  const seeds = ['127.0.0.1', '127.0.0.2', '127.0.0.3'];
  const found = parse(renderCassandraYaml({ ...node, seeds, initialToken: evenToken(1, 3), dataDir: '/d' }));
  t.equal(found.seed_provider[0].parameters[0].seeds, '127.0.0.1:7000,127.0.0.2:7000,127.0.0.3:7000');
  t.equal(found.auto_bootstrap, false);
  t.equal(found.initial_token, '-3074457345618258603');
  t.equal(evenToken(0, 3), '-9223372036854775808');
});

test('only a quick start gives up the second compiler', async (t) => {
  const quick = '-XX:TieredStopAtLevel=1';
  t.ok(cassandraJvmOptions({ heapMegabytes: 512, quickStart: true }).includes(quick));
  t.notOk(cassandraJvmOptions({ heapMegabytes: 512, quickStart: false }).includes(quick));
  t.ok(cassandraJvmOptions({ heapMegabytes: 512, quickStart: false }).includes('-Xmx512m'));
});

test('every pinned jar stands in the pom, and the image has the version of the jars', async (t) => {
  const versions = await readVersions();
  for (const product of ['kafka', 'cassandra'] as const) {
    const { version, image, jars } = versions[product];
    const pom = renderPom(versions[product], versions.maven.dependencyPlugin);
    for (const jar of jars) t.match(pom, `<artifactId>${jar.split(':')[1]}</artifactId><version>${jar.split(':')[2]}<`);
    t.equal(jars[0]?.split(':')[2], version);
    t.match(image, new RegExp(`:${version.replaceAll('.', '\\.')}$`));
  }
});
