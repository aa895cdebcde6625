import { z } from 'zod';
import { claimSchema } from './accounting.ts';
import { bootClockFields, identityFields } from './identity.ts';
import { amount, instant, openWord, quantity, ratio, whole } from './quantity.ts';

export const SCHEMA_VERSION = 1;

/** A report is at most this long when encoded. */
export const MAX_REPORT_BYTES = 64 * 1024;

/** A report sent within this time of its sampling is live; later it is drained. */
export const LIVE_WITHIN_MS = 10_000;

/** When a slower source was read; absent on values that are read for every report. */
const sampledAt = instant('when this was read, if not for this very report');

export const RAIL_MEASURES = ['board', 'switch', 'lights', 'inlet'] as const;
export const RAIL_SOURCES = ['hwmon', 'iio', 'i2c', 'battery', 'simulated'] as const;

export const railSchema = z.looseObject({
  sampledAt: sampledAt.optional(),
  label: z.string().min(1).max(63).meta({ description: 'name of the rail, unique on its node' }),
  measures: openWord(RAIL_MEASURES, 'what hangs on it; an inlet is the total of the case'),
  source: openWord(RAIL_SOURCES, 'the way in: kernel hwmon, kernel IIO, direct I2C, battery'),
  busVolts: quantity('volts', 'voltage of the rail').optional(),
  currentAmperes: quantity('amperes', 'signed; positive flows to the load').optional(),
  powerWatts: quantity('watts', 'signed; averaged by the chip over its window where it can').optional(),
  energyJoules: amount(
    'joules',
    'counted on the board, monotonic within a run, kept over restarts, never across a gap',
  ).optional(),
  coveredSeconds: amount('seconds', 'how much time energyJoules is made of').optional(),
  saturated: z.literal(true).optional().meta({ description: 'the chip was at full scale: no value is published' }),
  absent: z.string().optional().meta({ description: 'why there are no values' }),
  resets: whole('count', 'times in this run that the chip was found with its settings lost').optional(),
  saturatedWindows: whole('count', 'averaging windows of this run at full scale').optional(),
  overflowedWindows: whole('count', 'averaging windows of this run that the chip marked as overflowed').optional(),
  missedWindows: whole('count', 'averaging windows of this run that ended unread').optional(),
});

const wifiSchema = z.looseObject({
  sampledAt: sampledAt.optional(),
  signalDecibelMilliwatts: quantity('decibel-milliwatts', 'received signal; -50 is strong, -80 weak').optional(),
  linkQualityRatio: ratio("the driver's own measure of the link").optional(),
});

/** What a Raspberry Pi's firmware and its `rpi_volt` driver tell; a flag that wasn't read is absent. */
const throttlingSchema = z.looseObject({
  sampledAt: sampledAt.optional(),
  underVoltage: z.boolean().optional().meta({ description: 'the supply is below what the board needs, now' }),
  frequencyCapped: z.boolean().optional().meta({ description: 'the processor is kept below its full clock, now' }),
  throttled: z.boolean().optional().meta({ description: 'the processor is slowed down, now' }),
  softTemperatureLimit: z.boolean().optional().meta({ description: 'the soft temperature limit is reached, now' }),
  occurred: z
    .array(openWord(['underVoltage', 'frequencyCapped', 'throttled', 'softTemperatureLimit'], 'a flag of this section'))
    .max(16)
    .optional()
    .meta({ description: 'flags that were set at some time since the board was started' }),
  firmwareSampledAt: instant("when the firmware's flags were read; underVoltage may be younger").optional(),
});

const containerSchema = z.looseObject({
  id: z.string().min(1).max(64),
  name: z.string().max(255),
  image: z.string().max(255).optional(),
  state: z.string().max(32).meta({ description: "the engine's own word: running, exited, paused ..." }),
  health: z.string().max(32).optional(),
  restarts: whole('count', 'restarts by the engine since it was made').optional(),
  cpuUsageRatio: amount('ratio', 'of one core').optional(),
  memoryBytes: whole('bytes', 'in use, without page cache that can be dropped').optional(),
});

export const reportSchema = z.looseObject({
  ...identityFields,
  ...bootClockFields,
  intervalMs: whole('milliseconds', 'how often this node reports'),
  goodbye: z.literal(true).optional().meta({ description: 'the last report of a clean stop' }),
  claim: claimSchema,
  cpu: z
    .looseObject({
      sampledAt: sampledAt.optional(),
      usageRatio: ratio('of all cores, since the last report'),
      coreUsageRatios: z.array(ratio('of this core')).max(512).optional(),
      frequencyHertz: amount('hertz', 'highest of all cores now').optional(),
    })
    .optional(),
  load: z
    .looseObject({
      sampledAt: sampledAt.optional(),
      oneMinute: amount('count', 'load average of the last minute'),
      fiveMinutes: amount('count', 'load average of the last 5 minutes'),
      fifteenMinutes: amount('count', 'load average of the last 15 minutes'),
    })
    .optional(),
  memory: z
    .looseObject({
      sampledAt: sampledAt.optional(),
      totalBytes: whole('bytes', 'installed and usable'),
      availableBytes: whole('bytes', 'can be had without swapping'),
      swapTotalBytes: whole('bytes', 'swap space').optional(),
      swapFreeBytes: whole('bytes', 'swap space not in use').optional(),
    })
    .optional(),
  temperature: z
    .looseObject({
      sampledAt: sampledAt.optional(),
      temperatureCelsius: quantity('celsius', 'of the processor; the hottest zone where none is named so'),
      zones: z
        .array(z.looseObject({ name: z.string().max(63), temperatureCelsius: quantity('celsius', 'of this zone') }))
        .max(64)
        .optional(),
    })
    .optional(),
  rails: z.array(railSchema).max(16).optional(),
  storage: z
    .looseObject({
      sampledAt: sampledAt.optional(),
      mounts: z
        .array(
          z.looseObject({
            path: z.string().max(255),
            device: z.string().max(255).optional(),
            totalBytes: whole('bytes', 'size of the file system'),
            availableBytes: whole('bytes', 'free to an ordinary user'),
          }),
        )
        .max(64),
      devices: z
        .array(
          z.looseObject({
            name: z.string().max(63).meta({ description: 'mmcblk0, nvme0n1 ...' }),
            model: z.string().max(255).optional(),
            lifeUsedRatio: amount('ratio', 'of its rated life, the upper end of what the device tells').optional(),
            preEndOfLife: openWord(['normal', 'warning', 'urgent'], 'how far its spare blocks are used up').optional(),
            writtenBytes: whole('bytes', 'since the board was started').optional(),
          }),
        )
        .max(64)
        .optional(),
    })
    .optional(),
  network: z
    .looseObject({
      sampledAt: sampledAt.optional(),
      interfaces: z
        .array(
          z.looseObject({
            name: z.string().max(63),
            up: z.boolean().optional(),
            receivedBytes: whole('bytes', 'since the interface came up'),
            sentBytes: whole('bytes', 'since the interface came up'),
            speedBitsPerSecond: whole('count', 'negotiated link speed').optional(),
            wifi: wifiSchema.optional(),
          }),
        )
        .max(64),
    })
    .optional(),
  docker: z
    .looseObject({
      sampledAt: sampledAt.optional(),
      engine: openWord(['running', 'stopped'], 'whether the engine answers; absent means that it does').optional(),
      version: z.string().max(63).optional(),
      swarmRole: openWord(['manager', 'worker', 'none'], 'of its engine').optional(),
      runningContainers: whole('count', 'containers that run; absent while the engine is stopped').optional(),
      containers: z.array(containerSchema).max(256).optional(),
      leftOutContainers: whole('count', 'containers for which the report had no room').optional(),
    })
    .optional(),
  throttling: throttlingSchema.optional(),
  spool: z
    .looseObject({
      waitingReports: whole('count', 'on disk, not yet acknowledged'),
      waitingBytes: whole('bytes', 'on disk, not yet acknowledged'),
      tornRecords: whole('count', 'found cut or damaged and skipped since the run began').optional(),
      problem: z.string().max(255).optional().meta({ description: 'why nothing can be spooled' }),
    })
    .optional(),
  self: z
    .looseObject({
      sampledAt: sampledAt.optional(),
      cpuSeconds: amount('seconds', 'of processor time used by the agent since the run began'),
      residentBytes: whole('bytes', 'memory of the agent process'),
      samplers: z.record(
        z.string(),
        z.looseObject({
          durationMs: amount('milliseconds', 'of its last reading'),
          failures: whole('count', 'since the run began'),
          problem: z.string().max(255).optional().meta({ description: 'why the last reading failed' }),
        }),
      ),
    })
    .optional(),
});

export type Report = z.infer<typeof reportSchema>;
export type Rail = z.infer<typeof railSchema>;
export type Container = z.infer<typeof containerSchema>;
