import type { z } from 'zod';

/** What a reader of a schema needs to know of one place in it, with optional, default and the like peeled off. */
export interface Shape {
  kind: 'object' | 'array' | 'record' | 'string' | 'number' | 'boolean' | 'other';
  /** The fields of an object. */
  fields?: Record<string, z.ZodType>;
  /** What an array or a record holds. */
  element?: z.ZodType;
  /** The words that an enumeration or a literal takes. */
  words?: string[];
  description?: string | undefined;
  unit?: string | undefined;
  /** The first of the examples that the schema gives. */
  example?: unknown;
  /** How people write the default, where the plain form hides what it is (0x40 instead of 64). */
  written?: string | undefined;
  defaultValue?: unknown;
}

interface Def {
  type: string;
  innerType?: z.ZodType;
  in?: z.ZodType;
  shape?: Record<string, z.ZodType>;
  element?: z.ZodType;
  valueType?: z.ZodType;
  entries?: Record<string, string>;
  values?: unknown[];
  defaultValue?: unknown;
}

const WRAPPERS = new Set(['optional', 'default', 'prefault', 'nullable', 'readonly', 'nonoptional', 'catch']);

/** Looks one level into a schema; it never fails: what it doesn't know is `other`. */
export function shapeOf(schema: z.ZodType): Shape {
  const seen: Pick<Shape, 'description' | 'unit' | 'example' | 'written' | 'defaultValue'> = {};
  let current = schema;
  for (;;) {
    const def = current.def as unknown as Def;
    const meta = current.meta() as
      | { description?: string; unit?: string; examples?: unknown[]; written?: string }
      | undefined;
    seen.description ??= meta?.description;
    seen.unit ??= meta?.unit;
    seen.example ??= meta?.examples?.[0];
    seen.written ??= meta?.written;
    if (def.type === 'default' || def.type === 'prefault') seen.defaultValue ??= def.defaultValue;
    if (WRAPPERS.has(def.type) && def.innerType) current = def.innerType;
    else if (def.type === 'pipe' && def.in) current = def.in;
    else return { ...seen, ...ownShape(def) };
  }
}

function ownShape(def: Def): Shape {
  switch (def.type) {
    case 'object':
      return { kind: 'object', fields: def.shape ?? {} };
    case 'array':
      return { kind: 'array', ...(def.element && { element: def.element }) };
    case 'record':
      return { kind: 'record', ...(def.valueType && { element: def.valueType }) };
    case 'enum':
      return { kind: 'string', words: Object.values(def.entries ?? {}) };
    case 'literal':
      return { kind: typeof def.values?.[0] === 'string' ? 'string' : 'other', words: (def.values ?? []).map(String) };
    case 'string':
    case 'number':
    case 'boolean':
      return { kind: def.type };
    default:
      return { kind: 'other' };
  }
}

/** Every place below an object schema as a dotted path; lists and records are leaves, objects are not. */
export function leafPaths(schema: z.ZodType, prefix = ''): string[] {
  const { fields } = shapeOf(schema);
  if (!fields) return [prefix];
  return Object.entries(fields).flatMap(([key, field]) => leafPaths(field, prefix ? `${prefix}.${key}` : key));
}

/** The schema at a dotted path below an object schema; a number steps into a list. */
export function schemaAt(schema: z.ZodType, path: readonly (string | number)[]): z.ZodType | undefined {
  let current: z.ZodType | undefined = schema;
  for (const step of path) {
    if (!current) return undefined;
    const shape: Shape = shapeOf(current);
    current = shape.fields ? shape.fields[step] : shape.element;
  }
  return current;
}
