import { type Claim, type DroppedRange, MAX_CLAIM_RANGES, type SeqRange } from '../../telemetry/accounting.ts';
import { SeqSet } from '../../telemetry/seq-set.ts';

export interface RunOutstanding {
  unacknowledged: SeqRange[];
  dropped: DroppedRange[];
}

export type EarlierRun = RunOutstanding & { runId: string; nextSeq: number };

/** The run that speaks keeps at least this many ranges, however many earlier runs there are. */
const OWN_SHARE = 8;

/**
 * Fits the whole truth into the ranges that a claim may hold. Detail is given up in this order: gaps between
 * unacknowledged ranges are filled, the shortest dropped ranges are called unacknowledged, the youngest earlier runs
 * are left for a later claim. Each of these understates what was acknowledged; none overstates it.
 */
export function shortenClaim(own: RunOutstanding, earlier: EarlierRun[]): { claim: Claim; earlierRunsTold: string[] } {
  const earlierTotal = earlier.reduce((sum, run) => sum + rangeCount(run), 0);
  const ownLimit = Math.max(OWN_SHARE, MAX_CLAIM_RANGES - earlierTotal);
  const ownShort = shortenRun(own, ownLimit);
  let left = MAX_CLAIM_RANGES - rangeCount(ownShort);
  const whole = earlierTotal <= left;
  const told: EarlierRun[] = [];
  for (const [index, run] of earlier.slice(0, MAX_CLAIM_RANGES).entries()) {
    const runsLeft = Math.min(earlier.length, MAX_CLAIM_RANGES) - index;
    const share = Math.max(1, Math.floor(left / runsLeft));
    const short = shortenRun(run, whole ? rangeCount(run) : share);
    if (rangeCount(short) > left) break;
    left -= rangeCount(short);
    told.push({ runId: run.runId, nextSeq: run.nextSeq, ...short });
  }
  const claim: Claim = told.length > 0 ? { ...ownShort, earlierRuns: told } : ownShort;
  return { claim, earlierRunsTold: told.map((run) => run.runId) };
}

function rangeCount(run: RunOutstanding): number {
  return run.unacknowledged.length + run.dropped.length;
}

/** The same in at most `limit` ranges, limit ≥ 1. */
function shortenRun(run: RunOutstanding, limit: number): RunOutstanding {
  if (rangeCount(run) <= limit) return { unacknowledged: run.unacknowledged, dropped: run.dropped };
  const longestFirst = [...run.dropped].sort((a, b) => length(b) - length(a));
  const dropped = longestFirst.slice(0, Math.floor(limit / 2)).sort((a, b) => a.from - b.from);
  const folded = SeqSet.of([...run.unacknowledged, ...longestFirst.slice(dropped.length)]);
  return { unacknowledged: fillGaps(folded.ranges(), limit - dropped.length), dropped };
}

/** Fills the smallest gaps until at most `limit` ranges are left. */
function fillGaps(ranges: readonly Readonly<SeqRange>[], limit: number): SeqRange[] {
  const gaps = ranges.slice(1).map((range, index) => ({ index, width: range.from - (ranges[index] as SeqRange).to }));
  gaps.sort((a, b) => b.width - a.width);
  const kept = new Set(gaps.slice(0, limit - 1).map(({ index }) => index));
  const result: SeqRange[] = [];
  for (const [index, { from, to }] of ranges.entries()) {
    const last = result.at(-1);
    if (last && !kept.has(index - 1)) last.to = to;
    else result.push({ from, to });
  }
  return result;
}

function length(range: SeqRange): number {
  return range.to - range.from + 1;
}
