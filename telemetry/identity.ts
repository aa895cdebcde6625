import { z } from 'zod';
import { instant, whole } from './quantity.ts';

/**
 * Names travel in Kafka keys, table keys, host names and file names, so they are kept to what all of these take:
 * letters, digits, dot, dash and underscore, up to 63 characters (RFC 1123 label length), first and last alphanumeric.
 */
export const NAME_PATTERN = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;

export const nameSchema = z.string().regex(NAME_PATTERN, 'letters, digits, ".", "-" or "_", at most 63');

/** What says who speaks, and when: it leads every report. */
export const identityFields = {
  schemaVersion: z.int().min(1).meta({ description: 'version of this contract; adding a field does not raise it' }),
  clusterId: nameSchema.meta({ description: 'the cluster the node belongs to' }),
  nodeId: nameSchema.meta({ description: 'the node, unique in its cluster; by default the host name' }),
  bootId: z.string().min(1).max(64).meta({ description: 'changes at every boot of the board' }),
  runId: z.string().min(1).max(64).meta({ description: 'one life of the agent process; compared for equality only' }),
  timestamp: instant('wall time of the sampling; never changes after the first attempt to send'),
  simulated: z.literal(true).optional().meta({ description: 'present when no sensor stands behind the values' }),
};

export const bootClockFields = {
  seq: whole('count', 'number of the report in its run, from 0'),
  uptimeMs: whole('milliseconds', 'monotonic time since boot at the sampling'),
  clockSynchronised: z.boolean().meta({ description: 'whether the wall clock followed a time source' }),
  drained: z
    .boolean()
    .meta({ description: 'sent more than 10 s after its sampling, or after a younger one of its node' }),
};
