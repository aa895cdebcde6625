export const NODE_STATES = ['live', 'warning', 'late', 'silent', 'stopped', 'expected', 'stalled'] as const;
export type NodeState = (typeof NODE_STATES)[number];

/** What an observer knows of a node. All instants are on the observer's clock, in epoch milliseconds. */
export interface NodeSigns {
  /** When the newest live report arrived (Kafka's append time seen from a store); absent if there was none. */
  reportSeenAt?: number | undefined;
  /** When the newest beat arrived; absent if none did. */
  beatSeenAt?: number | undefined;
  /** How often the node reports. */
  intervalMs: number;
  /** Its last report was a goodbye. */
  saidGoodbye: boolean;
  /** Something in its newest report wants attention (under-voltage, a failed sampler, a full spool ...). */
  hasWarning: boolean;
  /** Whether the observer gets beats of this node at all. */
  beatsConfigured: boolean;
  /** Whether the observer reads the node's partition and has caught up with it. */
  partitionReadable: boolean;
}

/** Two missed reports and the time a third takes to arrive: named within 3 s at 1 Hz, never for one late report. */
const REPORTS_MISSED = 2.5;
/** At short intervals the network and the scheduler decide, not the interval. */
const LEAST_SILENCE_MS = 2500;

/**
 * How long a board may take to be heard again after the way was closed: an agent's longest pause between two attempts,
 * and the time that a connection takes.
 */
export const RETURN_MS = 10_000;

/** After how long without a sign a node counts as silent. */
export function silentAfterMs(intervalMs: number): number {
  return Math.max(LEAST_SILENCE_MS, REPORTS_MISSED * intervalMs);
}

/**
 * The one place that decides a node's state; collector, dashboard and command line all call it.
 * A partition that can't be read says nothing about its boards: without beats they are stalled, not silent.
 */
export function nodeState(signs: NodeSigns, now: number): NodeState {
  const limitMs = silentAfterMs(signs.intervalMs);
  const reports = signs.reportSeenAt !== undefined && now - signs.reportSeenAt <= limitMs;
  const beats = signs.beatSeenAt !== undefined && now - signs.beatSeenAt <= limitMs;
  if (signs.reportSeenAt === undefined && signs.beatSeenAt === undefined) return 'expected';
  if (signs.saidGoodbye && !beats) return 'stopped';
  if (reports) return signs.hasWarning ? 'warning' : 'live';
  if (beats) return signs.partitionReadable ? 'late' : 'stalled';
  if (!signs.beatsConfigured && !signs.partitionReadable) return 'stalled';
  return 'silent';
}
