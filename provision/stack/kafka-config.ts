export interface KafkaPeer {
  id: number;
  host: string;
  clientPort: number;
  controllerPort: number;
  /** Where clients are taken, if elsewhere than where the brokers speak with each other's controllers. */
  clientHost?: string | undefined;
}

export interface KafkaConfig {
  self: KafkaPeer;
  /** All brokers, this one too; each is broker and controller. One or three. */
  peers: KafkaPeer[];
  dataDir: string;
  /** In a container clients come in from outside, by the address that is published; what guards it is the publishing. */
  listenEverywhere?: boolean;
}

/**
 * server.properties of a broker that keeps what was promised: an agent's clock never decides whether a record is kept,
 * a power cut costs at most a second, and a group is not forgotten while the case lies in a cupboard.
 */
export function renderKafkaProperties({ self, peers, dataDir, listenEverywhere = false }: KafkaConfig): string {
  const replicas = peers.length;
  const clientHost = self.clientHost ?? self.host;
  const insync = replicas > 1 ? replicas - 1 : 1;
  const voters = peers.map((peer) => `${peer.id}@${peer.host}:${peer.controllerPort}`).join(',');
  return properties({
    'process.roles': 'broker,controller',
    'node.id': self.id,
    'controller.quorum.voters': voters,
    listeners: `PLAINTEXT://${listenEverywhere ? '' : clientHost}:${self.clientPort},CONTROLLER://${self.host}:${self.controllerPort}`,
    'advertised.listeners': `PLAINTEXT://${clientHost}:${self.clientPort}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    'log.dirs': dataDir,
    ...contractProperties(replicas, insync),
    ...smallMachineProperties(),
  });
}

/** What the contract asks of every Kafka that is set up here. */
function contractProperties(replicas: number, insync: number): Record<string, string | number> {
  return {
    'default.replication.factor': replicas,
    'min.insync.replicas': insync,
    'offsets.topic.replication.factor': replicas,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': insync,
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': insync,
    // The collector makes the topics; a misspelt name must not make one.
    'auto.create.topics.enable': 'false',
    'num.partitions': 6,
    'log.message.timestamp.type': 'LogAppendTime',
    'log.flush.interval.ms': 1000,
    // Two years. The default of seven days forgets where the collector was.
    'offsets.retention.minutes': 1_051_200,
  };
}

function smallMachineProperties(): Record<string, string | number> {
  return {
    // After a kill -9 the old registration must expire before the broker is let in again: 3 s instead of 9 s.
    'broker.session.timeout.ms': 3000,
    'broker.heartbeat.interval.ms': 500,
    'group.initial.rebalance.delay.ms': 0,
    'offsets.topic.num.partitions': 3,
    'transaction.state.log.num.partitions': 3,
    'num.network.threads': 2,
    'num.io.threads': 2,
    'log.cleaner.dedupe.buffer.size': 16_777_216,
    'log.segment.bytes': 67_108_864,
  };
}

/** Java's property syntax: a backslash in a path would be read as an escape. */
function properties(entries: Record<string, string | number>): string {
  return Object.entries(entries)
    .map(([key, value]) => `${key}=${String(value).replaceAll('\\', '\\\\')}\n`)
    .join('');
}
