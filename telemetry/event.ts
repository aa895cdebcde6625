import { z } from 'zod';
import { nameSchema } from './identity.ts';
import { instant, openWord } from './quantity.ts';

export const eventSchema = z.looseObject({
  schemaVersion: z.int().min(1),
  id: z.string().min(1).max(255).meta({ description: 'kind, subject, runId and first seq: the same incident, one id' }),
  clusterId: nameSchema,
  kind: z.string().min(1).max(63),
  subject: z.string().min(1).max(255).meta({ description: 'the node, or what else it is about' }),
  severity: openWord(['info', 'warning', 'critical'], 'how much it matters'),
  startedAt: instant('when it began'),
  endedAt: instant('when it was over').optional(),
  sentence: z.string().max(1000).meta({ description: 'what happened and what to do, for a person' }),
  simulated: z.literal(true).optional(),
});

export type Event = z.infer<typeof eventSchema>;
