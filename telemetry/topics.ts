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

/** Two installations can share one Kafka by different prefixes. */
export const DEFAULT_TOPIC_PREFIX = 'ericht.';

export type TopicRole = 'reports' | 'facts' | 'events' | 'deadLetters' | 'overflow';

const MIB = 1024 * 1024;

/** All topics of one installation; the collector makes them, everybody else only names them. */
export function topicSpecs(prefix: string = DEFAULT_TOPIC_PREFIX): Record<TopicRole, TopicSpec> {
  const topic = (name: string, settings: Record<string, string>): TopicSpec => ({
    name: `${prefix}${name}`,
    partitions: PARTITIONS,
    settings: { ...COMMON, ...settings },
  });
  const kept = (days: number) => ({ 'cleanup.policy': 'delete', 'retention.ms': String(days * DAY_MS) });
  return {
    reports: topic('node-reports', { ...kept(7), 'max.message.bytes': String(MIB) }),
    facts: topic('node-facts', { 'cleanup.policy': 'compact', 'max.message.bytes': String(MIB) }),
    events: topic('events', kept(30)),
    // Takes what the reports topic took and more: the body is the original bytes, however long.
    deadLetters: topic('dead-letters', { ...kept(30), 'max.message.bytes': String(8 * MIB) }),
    overflow: topic('overflow', { ...kept(7), 'max.message.bytes': String(MIB) }),
  };
}

/** The Kafka key: all that a node says stays in one partition, in order. */
export function recordKey(clusterId: string, nodeId: string): string {
  return `${clusterId}/${nodeId}`;
}

/** Headers that the sending adds to a report or facts record. */
export const SENT_HEADERS = { uptimeMs: 'ericht-sent-uptime-ms', bootId: 'ericht-sent-boot-id' } as const;

/** Headers of a dead letter or overflow record; its body is the original bytes, whole unless `originalBytes` is there. */
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
  originalBytes: 'ericht-original-bytes',
} as const;
