import { z } from 'zod';
import { identityFields } from './identity.ts';
import { amount, openWord, whole } from './quantity.ts';
import { RAIL_MEASURES, RAIL_SOURCES } from './report.ts';

/** Facts are always whole: sent at start, on change, and every 6 hours. */
export const FACTS_EVERY_MS = 6 * 3_600_000;

export const factsSchema = z.looseObject({
  ...identityFields,
  intervalMs: whole('milliseconds', 'how often this node reports'),
  model: z.string().max(255).optional().meta({ description: 'of the board, from the device tree or DMI' }),
  boardProfile: z
    .string()
    .max(63)
    .optional()
    .meta({ description: 'the profile that fits the model: raspberry-pi-5, orange-pi-5-plus ... generic' }),
  maxWatts: amount('watts', 'what a board of this profile draws at most').optional(),
  pageSizeBytes: whole('bytes', 'of a memory page').optional(),
  hardwareSerial: z.string().max(255).optional().meta({ description: 'of the board; two under one nodeId are told' }),
  operatingSystem: z.string().max(255).optional(),
  kernel: z.string().max(255).optional(),
  architecture: z.string().max(32).optional(),
  cores: whole('count', 'logical processors').optional(),
  memoryBytes: whole('bytes', 'installed and usable').optional(),
  addresses: z.array(z.string().max(64)).max(64).optional(),
  versions: z.record(z.string(), z.string().max(63)).optional().meta({ description: 'ericht, node, docker ...' }),
  rails: z
    .array(
      z.looseObject({
        label: z.string().min(1).max(63),
        measures: openWord(RAIL_MEASURES, 'what hangs on it'),
        source: openWord(RAIL_SOURCES, 'the way in'),
        shuntOhms: amount('ohms', 'as configured').optional(),
        location: z.string().max(255).optional().meta({ description: 'bus and address, or the path in sysfs' }),
      }),
    )
    .max(16)
    .optional(),
  findings: z
    .array(
      z.looseObject({
        subject: z.string().max(63).meta({ description: 'temperature, docker, rails ...' }),
        found: z.boolean(),
        detail: z.string().max(255).meta({ description: 'what was found, or why it is absent' }),
      }),
    )
    .max(64)
    .optional(),
});

export type Facts = z.infer<typeof factsSchema>;
