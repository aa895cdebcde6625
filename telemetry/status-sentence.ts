import type { NodeState } from './node-state.ts';
import type { NodeStatus, PipelineStatus } from './status.ts';

interface Situation {
  nodes: NodeStatus[];
  pipeline: PipelineStatus;
}

/** More names than this don't help anybody at three metres. */
const MOST_NAMES = 3;

/**
 * One sentence that says what is going on, the worst first. Without `now` it holds no ages, so that it changes only when
 * something happens: that form is for live regions.
 */
export function clusterSentence({ nodes, pipeline }: Situation, now?: number): string {
  if (nodes.length === 0) return pipeline.readable ? 'Waiting for the first report.' : stalledSentence(pipeline, now);
  const of = (state: NodeState) => nodes.filter((node) => node.state === state);
  const live = nodes.filter((node) => node.state === 'live' || node.state === 'warning');
  const silent = of('silent');
  const stalled = of('stalled');
  if (silent.length === 0 && stalled.length > 0 && !pipeline.readable) return stalledSentence(pipeline, now);
  if (silent.length > 0) return silentSentence(silent, nodes, live.length, now);
  return calmSentence(nodes, live, of);
}

/** Milliseconds as people say them: "0.4 s", "14 s", "3 min", "2 h", "5 d". */
export function ageInWords(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

function stalledSentence({ transport, since }: PipelineStatus, now: number | undefined): string {
  const duration = now === undefined || since === 0 ? '' : ` for ${ageInWords(now - since)}`;
  // The link can always be read; it stands still when what came before can't be stored.
  const what = transport === 'kafka' ? `Kafka can't be read${duration}` : `nothing can be stored${duration}`;
  return `Pipeline stalled: ${what}; boards unknown.`;
}

function silentSentence(silent: NodeStatus[], nodes: NodeStatus[], live: number, now: number | undefined): string {
  const [first] = silent;
  const newestAt = Math.max(...silent.map((node) => node.lastSeenAt ?? 0));
  if (silent.length === 1 && first) {
    const seen =
      now === undefined || first.lastSeenAt === undefined ? '' : `, seen ${ageInWords(now - first.lastSeenAt)} ago`;
    return `${first.nodeId} silent${seen}.`;
  }
  if (live === 0 && silent.length === nodes.length) {
    const since = now === undefined ? '' : ` for ${ageInWords(now - newestAt)}`;
    return `Nothing from any of ${nodes.length} nodes${since}: the network or the power.`;
  }
  return `${silent.length} of ${nodes.length} silent: ${names(silent)}.`;
}

function calmSentence(nodes: NodeStatus[], live: NodeStatus[], of: (state: NodeState) => NodeStatus[]): string {
  const words: Partial<Record<NodeState, string>> = {
    stalled: 'waiting for',
    late: 'late',
    stopped: 'stopped',
    expected: 'not seen yet',
  };
  const others: string[] = [];
  for (const [state, word] of Object.entries(words)) {
    const some = of(state as NodeState);
    if (some.length === 0) continue;
    others.push(state === 'stalled' ? `${word} ${names(some)}` : `${names(some)} ${word}`);
  }
  const [only] = nodes;
  const start =
    nodes.length === 1 && only && live.length === 1
      ? `${only.nodeId} is live`
      : `${live.length} of ${nodes.length} live`;
  const [warned] = of('warning');
  const warning = warned ? ` ${warned.nodeId}: ${warned.warnings[0]}.` : '';
  return `${[start, ...others].join(', ')}.${warning}`;
}

function names(nodes: NodeStatus[]): string {
  const shown = nodes.slice(0, MOST_NAMES).map((node) => node.nodeId);
  const more = nodes.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}
