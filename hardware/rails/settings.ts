import { z } from 'zod';
import { RAIL_MEASURES, type RailSettings } from '../rail-reader.ts';

/** A chip wired to an I2C bus, as configured. The shunt has no default: modules of 0.1, 0.01 and 0.002 Ω look alike. */
export const railSettingsSchema: z.ZodType<RailSettings, unknown> = z.strictObject({
  label: z.string().min(1).max(63).meta({ description: 'name of the rail, unique on its node' }),
  measures: z
    .enum(RAIL_MEASURES)
    .default('board')
    .meta({ description: 'what hangs on it; an inlet is the total of the case' }),
  bus: z.int().min(0).max(255).meta({ description: 'number of the I2C bus: 1 is /dev/i2c-1' }),
  address: z.int().min(0x40).max(0x4f).meta({ description: 'of the chip, set by its pins A0 and A1: 0x40 to 0x4f' }),
  // 0.1 mΩ is a 500 A bar; above 1 Ω full scale is below 82 mA, and the number was meant in milliohms.
  shuntOhms: z
    .number()
    .min(0.0001)
    .max(1)
    .meta({ description: 'of the resistor, in ohms: R100 is 0.1, R010 is 0.01, R002 is 0.002' }),
  maxAmperes: z
    .number()
    .positive()
    .max(1000)
    .optional()
    .meta({ description: 'the most that flows; a known board needs none', examples: [3] }),
});

/** All rails of a node: labels and places are each used once. */
export const railsSettingsSchema = z
  .array(railSettingsSchema)
  .max(16)
  .superRefine((rails, context) => {
    const seen = new Map<string, number>();
    rails.forEach((rail, index) => {
      for (const [key, path] of [
        [`label ${rail.label}`, 'label'],
        [`bus ${rail.bus}, address 0x${rail.address.toString(16)}`, 'address'],
      ] as const) {
        if (seen.has(key)) {
          context.addIssue({ code: 'custom', path: [index, path], message: `${key} is used by two rails` });
        }
        seen.set(key, index);
      }
    });
  });
