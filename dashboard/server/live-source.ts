import type { Facts } from '../../telemetry/facts.ts';
import type { Report } from '../../telemetry/report.ts';

/** A report as the dashboard saw it arrive. */
export interface LiveReport {
  report: Report;
  appendedAt: number;
}

export interface PipelineStatus {
  transport: 'kafka' | 'link';
  /** Whether reports can be read right now, and since when this has been so. */
  readable: boolean;
  since: number;
  /** Brokers that answer, of those known; absent on the link. */
  brokersOnline?: number;
  brokersExpected?: number;
  /** Records the collector has yet to store; absent where it is not known. */
  collectorLag?: number;
  store: { kind: 'sqlite' | 'cassandra'; reachable: boolean; problem?: string };
}

/** Where a dashboard's live values come from: the reports topic, or the link in the same process. */
export interface LiveSource {
  start(handlers: { report(live: LiveReport): void; facts(facts: Facts, appendedAt: number): void }): Promise<void>;
  stop(): Promise<void>;
  pipeline(): PipelineStatus;
}
