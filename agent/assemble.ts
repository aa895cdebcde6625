import { type Report, SCHEMA_VERSION } from '../telemetry/report.ts';
import type { ReportPart } from './sampler.ts';

/** Who speaks: the same in every report and in the facts of a run. */
export interface Identity {
  clusterId: string;
  nodeId: string;
  bootId: string;
  runId: string;
  simulated?: boolean | undefined;
}

/** When a round of sampling began, on all clocks. */
export interface Moment {
  timestamp: number;
  uptimeMs: number;
  clockSynchronised: boolean;
}

export interface ReportContents {
  identity: Identity;
  seq: number;
  moment: Moment;
  intervalMs: number;
  parts: ReportPart;
  spool?: Report['spool'];
  self?: Report['self'];
  goodbye?: boolean;
}

export function identityOf(identity: Identity) {
  const { clusterId, nodeId, bootId, runId, simulated } = identity;
  return {
    schemaVersion: SCHEMA_VERSION,
    clusterId,
    nodeId,
    bootId,
    runId,
    ...(simulated && { simulated: true as const }),
  };
}

/** One report from what is there; what is absent is left out. Its claim is empty: the publisher fills it in. */
export function assembleReport(contents: ReportContents): Report {
  const { identity, seq, moment, intervalMs, parts, spool, self, goodbye } = contents;
  return {
    ...identityOf(identity),
    timestamp: moment.timestamp,
    seq,
    uptimeMs: Math.round(moment.uptimeMs),
    clockSynchronised: moment.clockSynchronised,
    drained: false,
    intervalMs,
    ...(goodbye && { goodbye: true as const }),
    claim: { unacknowledged: [], dropped: [] },
    ...parts,
    ...(spool && { spool }),
    ...(self && { self }),
  };
}
