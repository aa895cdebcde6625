import type { Facts } from '../../telemetry/facts.ts';
import type { Report } from '../../telemetry/report.ts';
import type { PipelineStatus } from '../../telemetry/status.ts';

/** A report as the dashboard saw it arrive. */
export interface LiveReport {
  report: Report;
  appendedAt: number;
}

export interface LiveHandlers {
  report(live: LiveReport): void;
  facts(facts: Facts, appendedAt: number): void;
}

/** The way of the reports as a live source sees it; the dashboard looks after the store itself. */
export type TransportStatus = Omit<PipelineStatus, 'store'>;

/** Where a dashboard's live values come from: the reports topic, or the link in the same process. */
export interface LiveSource {
  start(handlers: LiveHandlers): Promise<void>;
  stop(): Promise<void>;
  pipeline(): TransportStatus;
}
