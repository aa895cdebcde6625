import type { Container, Rail } from '../telemetry/report.ts';
import type { NodeStatus, Status } from '../telemetry/status.ts';

/** What the server says to the page over the stream. Numbers are in base units, instants in epoch ms of the server. */

/** How far back a snapshot tells when a node's reports arrived: the length of its strip. */
export const ARRIVALS_KEPT_MS = 60_000;
/** Points of the graph that server and page keep, one a second. */
export const HISTORY_KEPT = 600;

/** What a person should know and can act on: a full disk, a moved port. */
export interface Notice {
  severity: 'info' | 'warning' | 'critical';
  /** One or two sentences: what, and what to do. */
  text: string;
}

/** What a collector or an audit has counted, where the dashboard is told. A missing number is unknown, not 0. */
export interface DeliveryCounts {
  stored?: number;
  lost?: number;
  onItsWay?: number;
  notSent?: number;
}

export interface InterfaceView {
  name: string;
  up?: boolean;
  /** Over the last two readings; absent until there are two. */
  receivedBytesPerSecond?: number;
  sentBytesPerSecond?: number;
}

/** What a closer look at one node shows, beside its NodeStatus. */
export interface NodeDetails {
  model?: string;
  operatingSystem?: string;
  kernel?: string;
  architecture?: string;
  cores?: number;
  addresses?: string[];
  uptimeMs: number;
  clockSynchronised: boolean;
  coreUsageRatios?: number[];
  frequencyHertz?: number;
  load?: { oneMinute: number; fiveMinutes: number; fifteenMinutes: number };
  zones?: { name: string; temperatureCelsius: number }[];
  rails: Rail[];
  mounts: { path: string; totalBytes: number; availableBytes: number }[];
  interfaces: InterfaceView[];
  /** The busiest first, at most MOST_CONTAINERS of them. */
  containers?: { running: number; total: number; busiest: Container[] };
  findings: { subject: string; found: boolean; detail: string }[];
}

export interface NodeView {
  status: NodeStatus;
  details?: NodeDetails;
}

export interface ClusterView extends Omit<Status, 'nodes' | 'at' | 'sentence'> {
  nodeIds: string[];
  /** Reports that arrived here per second, over the last 10 s. */
  reportsPerSecond: number;
  delivery?: DeliveryCounts;
  notices: Notice[];
}

/** One second of the whole cluster; null where nothing was heard, so that a graph shows a gap and not a zero. */
export interface HistoryPoint {
  at: number;
  powerWatts: number | null;
  /** Mean over the nodes that were heard. */
  cpuUsageRatio: number | null;
}

/** Values by key: `cluster`, or `node:` and a nodeId. */
export interface StreamValues {
  cluster?: ClusterView;
  [nodeKey: `node:${string}`]: NodeView;
}

export interface StreamSnapshot {
  at: number;
  /** Changes when the page's files do: a page of another build reloads itself. */
  build: string;
  values: StreamValues;
  history: HistoryPoint[];
  /** When each node's reports arrived, over the last ARRIVALS_KEPT_MS. */
  arrivals: Record<string, number[]>;
}

export interface StreamChange {
  at: number;
  values: StreamValues;
  /** The seconds that have ended since the last change. */
  points?: HistoryPoint[];
}
