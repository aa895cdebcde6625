import { stringify } from 'yaml';
import { z } from 'zod';
import { type Shape, shapeOf } from '../lib/schema-shape.ts';
import { configSchema } from './config-schema.ts';

/**
 * The documented sample of ericht.yaml, from the schema. Prose is `# ` with a space, a setting `#` without one: taking
 * that `#` away leaves a valid file. A setting shows its default, or an example where there is none.
 */
export function sampleConfig(): string {
  const head = [
    '# Settings of the ericht processes: copy this to ericht.yaml and take the "#" from what you change. A setting shows its',
    '# default, or an example where there is none. Environment and flags win over this file: dataDir is also',
    '# ERICHT_DATA_DIR and --data-dir, path.procfs is also ERICHT_PATH__PROCFS and --path.procfs.',
    '# Made by "npm run generate" from cli/config-schema.ts.',
    '# yaml-language-server: $schema=./ericht.schema.json',
  ];
  return `${[...head, ...sectionLines(configSchema, '')].join('\n')}\n`;
}

/** The same for editors: they complete and check ericht.yaml by it. */
export function configJsonSchema(): string {
  const text = JSON.stringify(z.toJSONSchema(configSchema, { io: 'input' }), null, 2);
  // Lists of plain values on one line, as the formatter of this repository writes them.
  const flat = text.replace(/\[\s+([^[\]{}]*?)\s+\]/g, (_list, items: string) => `[${items.replace(/,\s+/g, ', ')}]`);
  return `${flat.replace(/\[\s+(\[[^[\]{}]*\])\s+\]/g, '[$1]')}\n`;
}

function sectionLines(schema: z.ZodType, indent: string): string[] {
  return Object.entries(shapeOf(schema).fields ?? {}).flatMap(([key, field]) => {
    const space = indent === '' ? [''] : [];
    return [...space, ...settingLines(key, field, indent)];
  });
}

function settingLines(key: string, field: z.ZodType, indent: string): string[] {
  const shape = shapeOf(field);
  const prose = shape.description ? [`${indent}# ${shape.description}`] : [];
  if (shape.words) prose.push(`${indent}# one of: ${shape.words.join(', ')}`);
  if (shape.kind === 'object') return [...prose, `${indent}#${key}:`, ...sectionLines(field, `${indent}  `)];
  const entry = shape.element && shapeOf(shape.element);
  if (entry?.fields)
    return [...prose, `${indent}#${key}:`, ...entryLines(entry.fields, shape.written ?? '', `${indent}  `)];
  return [...prose, `${indent}#${key}: ${shownValue(shape)}`];
}

/** A list's entry as it is written in the schema, with each field's meaning above it. */
function entryLines(fields: Record<string, z.ZodType>, written: string, indent: string): string[] {
  return written.split('\n').flatMap((line) => {
    const [, space = '', bullet = '', setting = ''] = /^( *)(- )?(.*)$/.exec(line) ?? [];
    const field = fields[setting.split(':')[0] ?? ''];
    const shape = field && shapeOf(field);
    const prose = shape?.description ? [`${indent}${space}# ${shape.description}`] : [];
    if (shape?.words) prose.push(`${indent}${space}# one of: ${shape.words.join(', ')}`);
    return [...prose, `${indent}${space}#${bullet}${setting}`];
  });
}

function shownValue({ written, defaultValue, example }: Shape): string {
  if (written !== undefined) return written;
  const isEmpty = defaultValue === undefined || (Array.isArray(defaultValue) && defaultValue.length === 0);
  return stringify(isEmpty ? example : defaultValue, { collectionStyle: 'flow', lineWidth: 0 }).trimEnd();
}
