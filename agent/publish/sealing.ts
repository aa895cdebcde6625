import { type Claim, claimSchema } from '../../telemetry/accounting.ts';
import { encode } from '../../telemetry/codec.ts';
import { LIVE_WITHIN_MS, type Report } from '../../telemetry/report.ts';

/** The same report with another claim. Only before its first attempt: from then on a replay writes the same row. */
export function withClaim(body: Buffer, claim: Claim): Buffer {
  return encode({ ...parse(body), claim });
}

export interface Sending {
  bootId: string;
  /** Since boot, when it is sent. */
  uptimeMs: number;
  /** A younger report of the node has gone out before it: the latest values must not step back. */
  overtaken: boolean;
}

/**
 * The body to send now: a report that is overtaken, from an earlier boot, or sampled more than 10 s ago on this boot's
 * monotonic clock, is marked as drained; any other goes out as it is. Wall time decides nothing here, it may have jumped.
 */
export function asSentNow(body: Buffer, { bootId, uptimeMs, overtaken }: Sending): Buffer {
  const report = parse(body);
  const live = !overtaken && report.bootId === bootId && uptimeMs - report.uptimeMs <= LIVE_WITHIN_MS;
  return live || report.drained ? body : encode({ ...report, drained: true });
}

/** Only ever given what this agent has encoded and, if it came from disk, what its checksum has confirmed. */
function parse(body: Buffer): Report {
  return JSON.parse(body.toString('utf8')) as Report;
}

/** What a report left by an earlier run says of that run; undefined if an older agent said nothing, or in other words. */
export function claimIn(body: Buffer): Claim | undefined {
  return claimSchema.safeParse(parse(body).claim).data;
}
