import type { z } from 'zod';
import { shapeOf } from '../../lib/schema-shape.ts';

/**
 * A copy in which every field whose schema says `epoch milliseconds` is ISO 8601 in UTC, the form that the command
 * line speaks. Fields that the schema doesn't know are copied as they are.
 */
export function withIsoTimes(value: unknown, schema: z.ZodType | undefined): unknown {
  if (!schema || value === null || value === undefined) return value;
  const shape = shapeOf(schema);
  if (typeof value === 'number') return shape.unit === 'epoch milliseconds' ? new Date(value).toISOString() : value;
  if (Array.isArray(value)) return value.map((item) => withIsoTimes(item, shape.element));
  if (typeof value !== 'object') return value;
  const entries = Object.entries(value).map(([key, inner]) => [
    key,
    withIsoTimes(inner, shape.fields ? shape.fields[key] : shape.element),
  ]);
  return Object.fromEntries(entries);
}
