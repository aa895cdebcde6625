import type { EnergyTotal } from './energy.ts';
import type { NodeState } from './node-state.ts';
import type { PowerTotal } from './power.ts';

export interface PipelineStatus {
  transport: 'kafka' | 'link';
  /** Whether reports can be read right now, and since when this has been so (epoch ms). */
  readable: boolean;
  /** 0 where nobody knows. */
  since: number;
  /** Why they can't be read, in one sentence. */
  problem?: string;
  /** Brokers that answer, of those known; absent on the link. */
  brokersOnline?: number;
  brokersExpected?: number;
  /** Records the collector has yet to store; absent where it is not known. */
  collectorLag?: number;
  /** Reachable: it answers, and takes what it is given as far as the observer knows. */
  store: { kind: 'sqlite' | 'cassandra'; reachable: boolean; problem?: string };
}

export interface NodeStatus {
  nodeId: string;
  state: NodeState;
  /** When the newest live report arrived, epoch ms; absent if there was none. */
  lastSeenAt?: number;
  reportAgeMs?: number;
  intervalMs?: number;
  simulated?: true;
  /** What hangs on the node's rails that are not an inlet. */
  powerWatts?: number;
  /** Counted since the agent's run began, and how much of it was measured. */
  energyJoules?: number;
  coveredSeconds?: number;
  temperatureCelsius?: number;
  cpuUsageRatio?: number;
  loadOneMinute?: number;
  memoryUsedBytes?: number;
  memoryTotalBytes?: number;
  runningContainers?: number;
  warnings: string[];
}

export interface Status {
  schemaVersion: number;
  clusterId: string;
  /** When this was decided, epoch ms. */
  at: number;
  simulated?: true;
  nodes: NodeStatus[];
  /** Of nodes that are heard now: a silent board's last watts are in no total. */
  power: PowerTotal;
  /** Since each agent started; absent where nothing counts. */
  energy?: EnergyTotal;
  pipeline: PipelineStatus;
  /** What is going on, in one sentence. */
  sentence: string;
}

/** Whether a node's last values describe the present. */
export function isHeard(state: NodeState): boolean {
  return state === 'live' || state === 'warning';
}
