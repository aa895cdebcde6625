import { test } from 'tap';
import { cacheDirectory } from '../../../provision/stack/fetch.ts';
import { javaMajorVersion } from '../../../provision/stack/java.ts';
import { parseStackArguments } from '../../../provision/stack/options.ts';

test('without flags the servers are where everybody looks for them', async (t) => {
  const { directory, ports } = parseStackArguments([]);
  t.equal(directory, undefined);
  t.match(ports, { kafka: 9092, kafkaController: 9093, cassandra: 9042, cassandraStorage: 7000 });
  t.equal(ports.cassandraJmx, undefined, 'nobody else on this machine may steer Cassandra');
});

test('Kafka is reached from this machine alone unless an address is named', async (t) => {
  t.equal(parseStackArguments([]).kafkaListen, undefined);
  t.equal(parseStackArguments(['--kafka-listen', '192.168.1.10']).kafkaListen, '192.168.1.10');
});

test('every port and the folder have a flag', async (t) => {
  const flags = ['--dir', 'd', '--kafka-port', '1', '--kafka-controller-port', '2', '--cassandra-port', '3'];
  const found = parseStackArguments([...flags, '--cassandra-storage-port', '4', '--cassandra-jmx-port', '5']);
  t.equal(found.directory, 'd');
  t.same(found.ports, { kafka: 1, kafkaController: 2, cassandra: 3, cassandraStorage: 4, cassandraJmx: 5 });
});

for (const given of [
  ['--kafka-port', 'x'],
  ['--kafka-port', '0'],
  ['--kafka-port', '70000'],
  ['--port', '1'],
  ['--kafka-listen', '0.0.0.0'],
  ['--kafka-listen', 'laptop'],
  ['up'],
  ['--kafka-port', '9042'],
]) {
  test(`"${given.join(' ')}" is refused as usage`, async (t) => {
    t.throws(() => parseStackArguments(given), { code: 'USAGE' });
  });
}

test('the version of Java is read from what Java prints', async (t) => {
  t.equal(javaMajorVersion('openjdk version "17.0.15" 2025-04-15'), 17);
  t.equal(javaMajorVersion('java version "1.8.0_392"'), 8);
  t.equal(javaMajorVersion('openjdk version "21" 2023-09-19'), 21);
  t.equal(javaMajorVersion('no such thing'), undefined);
});

test('jars are cached where the user keeps caches', async (t) => {
  t.equal(cacheDirectory({}, '/home/u'), '/home/u/.cache/ericht');
  t.equal(cacheDirectory({ XDG_CACHE_HOME: '/c' }, '/home/u'), '/c/ericht');
  t.equal(cacheDirectory({ XDG_CACHE_HOME: 'relative' }, '/home/u'), '/home/u/.cache/ericht', 'XDG wants it ignored');
});
