import { z } from 'zod';
import { whole } from './quantity.ts';

/** A claim names at most this many ranges in all; more are merged to fewer, wider ones before sending. */
export const MAX_CLAIM_RANGES = 16;

export const seqRangeSchema = z
  .object({ from: whole('count', 'first seq'), to: whole('count', 'last seq, inclusive') })
  .refine((range) => range.from <= range.to, 'from is above to');

export const DROP_REASONS = ['queue-full', 'spool-full', 'spool-failed', 'too-old', 'refused', 'too-large'] as const;

export const droppedRangeSchema = z.object({
  from: whole('count', 'first seq'),
  to: whole('count', 'last seq, inclusive'),
  reason: z.enum(DROP_REASONS).meta({ description: 'why these were given up' }),
});

const outstandingFields = {
  unacknowledged: z.array(seqRangeSchema).max(MAX_CLAIM_RANGES),
  dropped: z.array(droppedRangeSchema).max(MAX_CLAIM_RANGES),
};

/**
 * What a node says of its own delivery. Every seq below the report's own that is in no range was acknowledged; the
 * same holds below `nextSeq` for each earlier run. Too wide an `unacknowledged` is harmless, too narrow is a lie.
 */
export const claimSchema = z.object({
  ...outstandingFields,
  earlierRuns: z
    .array(
      z.object({
        runId: z.string().min(1).max(64),
        nextSeq: whole('count', 'one above the highest seq that the claim speaks of'),
        ...outstandingFields,
      }),
    )
    .max(MAX_CLAIM_RANGES)
    .optional(),
});

export type SeqRange = z.infer<typeof seqRangeSchema>;
export type DroppedRange = z.infer<typeof droppedRangeSchema>;
export type DropReason = (typeof DROP_REASONS)[number];
export type Claim = z.infer<typeof claimSchema>;
