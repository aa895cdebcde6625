import { computed, type Signal, signal } from '@preact/signals';
import {
  ARRIVALS_KEPT_MS,
  type ClusterView,
  HISTORY_KEPT,
  type HistoryPoint,
  type NodeView,
  type StreamChange,
  type StreamSnapshot,
  type StreamValues,
} from '../messages.ts';

/** The server says something at least once a second; later than this, what stands on the page is old. */
const CUT_AFTER_MS = 2500;

/** All that the page shows. The stream writes, components read. */
export const cluster = signal<ClusterView | undefined>(undefined);
export const history = signal<HistoryPoint[]>([]);
/** The server's time, moved on here between its messages: ages are right on a machine with a wrong clock, too. */
export const now = signal(Date.now());
/** `now` by whole seconds, for what need not be drawn more often. */
export const second = computed(() => Math.floor(now.value / 1000) * 1000);
export const openNode = signal<string | undefined>(undefined);

const lastByteAt = signal<number | undefined>(undefined);
const nodes = new Map<string, Signal<NodeView | undefined>>();
const arrivals = new Map<string, number[]>();
let serverAheadMs = Date.now() - performance.now();

/** Nothing came from the server for so long that values may not be taken for the present. */
export const cut = computed(() => lastByteAt.value !== undefined && now.value - lastByteAt.value > CUT_AFTER_MS);
export const cutForMs = computed(() => now.value - (lastByteAt.value ?? now.value));

export function node(nodeId: string): Signal<NodeView | undefined> {
  let found = nodes.get(nodeId);
  if (!found) {
    found = signal(undefined);
    nodes.set(nodeId, found);
  }
  return found;
}

export function arrivalsOf(nodeId: string): readonly number[] {
  return arrivals.get(nodeId) ?? [];
}

export function allNodes(): NodeView[] {
  return (cluster.value?.nodeIds ?? []).flatMap((nodeId) => node(nodeId).value ?? []);
}

export function tick(): void {
  now.value = performance.now() + serverAheadMs;
}

export function takeSnapshot(snapshot: StreamSnapshot): void {
  hear(snapshot.at);
  history.value = snapshot.history;
  arrivals.clear();
  for (const [nodeId, times] of Object.entries(snapshot.arrivals)) arrivals.set(nodeId, times);
  takeValues(snapshot.values);
}

export function takeChange({ at, values, points }: StreamChange): void {
  hear(at);
  takeValues(values);
  if (points) history.value = [...history.value, ...points].slice(-HISTORY_KEPT);
}

function hear(at: number): void {
  serverAheadMs = at - performance.now();
  now.value = at;
  lastByteAt.value = at;
}

function takeValues(values: StreamValues): void {
  for (const [key, value] of Object.entries(values)) {
    if (key === 'cluster') cluster.value = value as ClusterView;
    else takeNode(value as NodeView);
  }
}

function takeNode(view: NodeView): void {
  const { nodeId, lastSeenAt } = view.status;
  const known = arrivals.get(nodeId) ?? [];
  if (lastSeenAt !== undefined && known.at(-1) !== lastSeenAt && view.status.state !== 'silent') {
    arrivals.set(nodeId, [...known.filter((at) => at > lastSeenAt - ARRIVALS_KEPT_MS), lastSeenAt]);
  }
  node(nodeId).value = view;
}
