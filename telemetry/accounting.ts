import { z } from 'zod';
import { openWord, whole } from './quantity.ts';

/** A claim names at most this many ranges in all; more are merged to fewer, wider ones before sending. */
export const MAX_CLAIM_RANGES = 16;

export type DropReason = (typeof DROP_REASONS)[number] | (string & {});

/** Both ends are in it. */
export interface SeqRange {
  from: number;
  to: number;
}

export type DroppedRange = SeqRange & { reason: DropReason };

interface Outstanding {
  unacknowledged: SeqRange[];
  dropped: DroppedRange[];
}

export interface Claim extends Outstanding {
  earlierRuns?: (Outstanding & { runId: string; nextSeq: number })[] | undefined;
}

const bounds = { from: whole('count', 'first seq'), to: whole('count', 'last seq, inclusive') };
const isRange = (range: { from: number; to: number }) => range.from <= range.to;

const seqRangeSchema = z.looseObject(bounds).refine(isRange, 'from is above to');

export const DROP_REASONS = ['queue-full', 'spool-full', 'spool-failed', 'too-old', 'refused', 'too-large'] as const;

const droppedRangeSchema = z
  .looseObject({ ...bounds, reason: openWord(DROP_REASONS, 'why these were given up') })
  .refine(isRange, 'from is above to');

const outstandingFields = {
  unacknowledged: z.array(seqRangeSchema).max(MAX_CLAIM_RANGES),
  dropped: z.array(droppedRangeSchema).max(MAX_CLAIM_RANGES),
};

/**
 * What a node says of its own delivery. Every seq below the report's own that is in no range was acknowledged; the
 * same holds below `nextSeq` for each earlier run. Too wide an `unacknowledged` is harmless, too narrow is a lie.
 */
export const claimSchema: z.ZodType<Claim> = z.looseObject({
  ...outstandingFields,
  earlierRuns: z
    .array(
      z.looseObject({
        runId: z.string().min(1).max(64),
        nextSeq: whole('count', 'one above the highest seq that the claim speaks of'),
        ...outstandingFields,
      }),
    )
    .max(MAX_CLAIM_RANGES)
    .optional(),
});
