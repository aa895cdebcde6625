import { LOGBACK_XML, renderCassandraYaml } from '../stack/cassandra-config.ts';
import { cassandraJvmOptions } from '../stack/cassandra-jvm.ts';
import { renderKafkaProperties } from '../stack/kafka-config.ts';

const LOOPBACK = '127.0.0.1';
const DO_NOT_EDIT = 'Made by provision/compose/render.ts; change it there and run node provision/compose/main.ts.';

/**
 * The files that compose.yaml mounts into the two images, by their path below provision/compose/. They are complete and
 * start the programs themselves, so nothing depends on what an image's own entry point does with its environment.
 */
export function renderComposeFiles(): Record<string, string> {
  const broker = { id: 1, host: LOOPBACK, clientPort: 9092, controllerPort: 9093 };
  const kafka = { self: broker, peers: [broker], dataDir: '/var/lib/kafka/data/log', listenEverywhere: true };
  const cassandra = {
    clusterName: 'ericht',
    host: LOOPBACK,
    nativePort: 9042,
    storagePort: 7000,
    seeds: [LOOPBACK],
    dataDir: '/var/lib/cassandra',
    listenEverywhere: true,
  };
  return {
    'kafka/server.properties': `# ${DO_NOT_EDIT}\n${renderKafkaProperties(kafka)}`,
    'kafka/start.sh': KAFKA_START,
    'cassandra/cassandra.yaml': `# ${DO_NOT_EDIT}\n${renderCassandraYaml(cassandra)}`,
    'cassandra/logback.xml': `<!-- ${DO_NOT_EDIT} -->\n${LOGBACK_XML}`,
    'cassandra/jvm.options': `# ${DO_NOT_EDIT}\n${cassandraOptions()}`,
    'cassandra/start.sh': CASSANDRA_START,
  };
}

/** A volume keeps the cluster's id; this one is used when it is new. */
const KAFKA_START = `#!/bin/sh
# ${DO_NOT_EDIT}
set -eu
quiet=-Dorg.slf4j.simpleLogger.defaultLogLevel=warn
java -Xmx128m $quiet -cp '/opt/kafka/libs/*' kafka.tools.StorageTool format --ignore-formatted \\
  --cluster-id erichtComposeCluster1w --config /etc/ericht/server.properties
exec java -Xms256m -Xmx512m -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:+ExitOnOutOfMemoryError $quiet \\
  -cp '/opt/kafka/libs/*' kafka.Kafka /etc/ericht/server.properties
`;

const CASSANDRA_START = `#!/bin/sh
# ${DO_NOT_EDIT}
set -eu
exec java @/etc/ericht/jvm.options -javaagent:"$(echo /opt/cassandra/lib/jamm-*.jar)" \\
  -cp '/etc/ericht:/opt/cassandra/lib/*' org.apache.cassandra.service.CassandraDaemon
`;

function cassandraOptions(): string {
  const options = [
    ...cassandraJvmOptions({ heapMegabytes: 1024, quickStart: false }),
    '-Dcassandra.config=file:///etc/ericht/cassandra.yaml',
    '-Dcassandra.storagedir=/var/lib/cassandra',
    '-Dlogback.configurationFile=file:///etc/ericht/logback.xml',
    '-Dcassandra-foreground=yes',
    '-Dcassandra.skip_wait_for_gossip_to_settle=0',
    '-Dcassandra.ring_delay_ms=100',
  ];
  return options.map((option) => `${option}\n`).join('');
}
