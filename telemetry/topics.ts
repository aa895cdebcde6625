/** One topic: its name, how many partitions it is made with, and the settings it is made with. */
export interface TopicSpec {
  name: string;
  partitions: number;
  settings: Record<string, string>;
}

const DAY_MS = 86_400_000;

/** An agent's clock never decides whether Kafka takes or keeps a record; a power cut costs at most 1 s of them. */
const COMMON = { 'message.timestamp.type': 'LogAppendTime', 'flush.ms': '1000' };

/**
 * 6 partitions: three brokers lead two each, and up to six collectors can share the work. An existing topic's count is
 * checked and never changed, because a new count would move nodes to other partitions and break their order.
 */
const PARTITIONS = 6;

export const TOPICS = {
  reports: {
    name: 'ericht.node-reports',
    partitions: PARTITIONS,
    settings: {
      ...COMMON,
      'cleanup.policy': 'delete',
      'retention.ms': String(7 * DAY_MS),
      'max.message.bytes': '1048576',
    },
  },
  facts: {
    name: 'ericht.node-facts',
    partitions: PARTITIONS,
    settings: { ...COMMON, 'cleanup.policy': 'compact', 'max.message.bytes': '1048576' },
  },
  events: {
    name: 'ericht.events',
    partitions: PARTITIONS,
    settings: { ...COMMON, 'cleanup.policy': 'delete', 'retention.ms': String(30 * DAY_MS) },
  },
  deadLetters: {
    name: 'ericht.dead-letters',
    partitions: PARTITIONS,
    /** Takes what the reports topic took and more: the body is the original bytes, however long. */
    settings: {
      ...COMMON,
      'cleanup.policy': 'delete',
      'retention.ms': String(30 * DAY_MS),
      'max.message.bytes': '8388608',
    },
  },
  overflow: {
    name: 'ericht.overflow',
    partitions: PARTITIONS,
    settings: {
      ...COMMON,
      'cleanup.policy': 'delete',
      'retention.ms': String(7 * DAY_MS),
      'max.message.bytes': '1048576',
    },
  },
} as const satisfies Record<string, TopicSpec>;

/** The Kafka key: all that a node says stays in one partition, in order. */
export function recordKey(clusterId: string, nodeId: string): string {
  return `${clusterId}/${nodeId}`;
}

/** Headers that the sending adds to a report or facts record. */
export const SENT_HEADERS = { uptimeMs: 'ericht-sent-uptime-ms', bootId: 'ericht-sent-boot-id' } as const;

/** Headers of a dead letter or overflow record; its body is the original bytes. */
export const ASIDE_HEADERS = {
  reason: 'ericht-reason',
  detail: 'ericht-detail',
  topic: 'ericht-topic',
  partition: 'ericht-partition',
  offset: 'ericht-offset',
  appendedAt: 'ericht-appended-at',
  clusterId: 'ericht-cluster-id',
  nodeId: 'ericht-node-id',
  runId: 'ericht-run-id',
  seq: 'ericht-seq',
} as const;
