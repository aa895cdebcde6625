import { parse } from 'yaml';
import type { z } from 'zod';
import type { Problem } from './config-problems.ts';
import { nearest } from './nearest.ts';
import { leafPaths, schemaAt, shapeOf } from './schema-shape.ts';

/** `dataDir` → `data-dir`, `path.procfs` → `path.procfs`: the flag of a key, without its dashes. */
export function flagOfPath(path: string): string {
  return path.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** `path.procfs` → `ERICHT_PATH__PROCFS`, `dataDir` → `ERICHT_DATA_DIR`. */
export function variableOfPath(path: string, prefix: string): string {
  const steps = path.split('.').map((step) => step.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase());
  return prefix + steps.join('__');
}

export function pathOfFlag(schema: z.ZodType, flag: string): string[] | undefined {
  return leafPaths(schema)
    .find((path) => flagOfPath(path) === flag)
    ?.split('.');
}

/** Case and single underscores don't count: PATH__PROCFS, Path__ProcFs and PATH__PROC_FS are all path.procfs. */
export function pathOfVariable(schema: z.ZodType, name: string): string[] | undefined {
  const path: string[] = [];
  let current: z.ZodType | undefined = schema;
  for (const step of name.split('__')) {
    const wanted = step.replaceAll('_', '').toLowerCase();
    const key = Object.keys((current && shapeOf(current).fields) ?? {}).find((each) => each.toLowerCase() === wanted);
    if (key === undefined) return undefined;
    path.push(key);
    current = schemaAt(schema, path);
  }
  return path;
}

export function unknownVariable(schema: z.ZodType, name: string, prefix: string): Problem {
  const near = nearest(
    name,
    leafPaths(schema).map((path) => variableOfPath(path, prefix)),
  );
  return {
    what: `unknown variable ${name}`,
    next: near ? `the nearest known one is ${near}` : `settings in the environment are named like ${prefix}DATA_DIR`,
  };
}

/**
 * Kubernetes puts NAME_PORT=tcp://... and the like into every container for each service called NAME; a service called
 * "ericht" must not break, or configure, a process.
 */
export function isServiceLink(name: string, text: string): boolean {
  return /_SERVICE_(HOST|PORT)(_|$)|_PORT_\d+_(TCP|UDP|SCTP)(_|$)/.test(name) || /^(tcp|udp|sctp):\/\//.test(text);
}

/** Text from the environment or a flag as the value that the schema expects there; what doesn't fit stays text. */
export function readText(schema: z.ZodType, path: readonly string[], text: string): unknown {
  const place = schemaAt(schema, path);
  if (!place) return text;
  const { kind, element } = shapeOf(place);
  switch (kind) {
    case 'number':
      return text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text);
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text;
    case 'array':
      if (!text.trimStart().startsWith('[') && element && shapeOf(element).kind === 'string') {
        return text.split(',').flatMap((word) => word.trim() || []);
      }
      return readYaml(text);
    case 'string':
      return text;
    default:
      return readYaml(text);
  }
}

function readYaml(text: string): unknown {
  try {
    return parse(text);
  } catch {
    // The schema refuses the text as it stands and says what it expects instead.
    return text;
  }
}
