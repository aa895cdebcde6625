import type { z } from 'zod';
import type { Origin, Path } from './config-origin.ts';
import { type Problem, problemsOf, toError } from './config-problems.ts';
import { isServiceLink, pathOfFlag, pathOfVariable, readText, unknownVariable } from './config-text.ts';
import { ErichtError } from './errors.ts';
import { shapeOf } from './schema-shape.ts';
import { readYamlFile, type YamlFile } from './yaml-file.ts';

export interface ConfigRequest<S extends z.ZodType> {
  /** A strict object: unknown keys are refused. */
  schema: S;
  /** The file that the user named; it has to exist. */
  explicitFile?: string | undefined;
  /** Else the first of these that exists, if any. */
  searchFiles: string[];
  environment: Record<string, string | undefined>;
  /** Variables that begin with this are settings: `ERICHT_`. */
  variablePrefix: string;
  /** Variables beginning with one of these are none, though they begin with the prefix. */
  foreignPrefixes?: string[];
  /** By kebab-case path, without dashes in front: `path.procfs`, `data-dir`. */
  flags: Record<string, string>;
}

export interface LoadedConfig<T> {
  values: T;
  /** The file that was read, if any. */
  file: string | undefined;
  /** Where the value at a dotted path comes from. */
  originOf(path: string): Origin;
}

/**
 * Reads the configuration of a process: file, then environment, then flags, checked as a whole.
 *
 * A variable is the key's path in capitals, with `__` between steps; case and single underscores don't count, so that
 * ERICHT_DATA_DIR is dataDir. Lists of words take commas; other lists and maps take YAML in one line.
 *
 * Throws CONFIG_UNREADABLE, or CONFIG_INVALID that names the place, what is wrong, and what would be right.
 */
export function loadConfig<S extends z.ZodType>(request: ConfigRequest<S>): LoadedConfig<z.output<S>> {
  const file = findFile(request);
  const tree = withoutUnsaid(file?.values ?? {}, request.schema);
  const origins = new Map<string, Origin>();
  const problems: Problem[] = [];

  const set = (path: string[], text: string, origin: Origin) => {
    setIn(tree, path, readText(request.schema, path, text));
    origins.set(path.join('.'), origin);
  };
  for (const [name, text] of Object.entries(request.environment).toSorted()) {
    if (text === undefined || !isSetting(name, text, request)) continue;
    const path = pathOfVariable(request.schema, name.slice(request.variablePrefix.length));
    if (path) set(path, text, { from: 'environment', where: name });
    else problems.push(unknownVariable(request.schema, name, request.variablePrefix));
  }
  for (const [flag, text] of Object.entries(request.flags)) {
    const path = pathOfFlag(request.schema, flag);
    if (!path) throw new ErichtError('USAGE', { what: `unknown flag --${flag}` });
    set(path, text, { from: 'flag', where: `--${flag}` });
  }

  const originOf = (path: Path): Origin => originIn(path, origins, file);
  const result = request.schema.safeParse(tree);
  if (!result.success) problems.push(...problemsOf(request.schema, result.error, tree, originOf));
  if (problems.length > 0 || !result.success) throw toError(problems);
  return { values: result.data, file: file?.path, originOf: (path) => originOf(path.split('.')) };
}

function findFile<S extends z.ZodType>({ explicitFile, searchFiles }: ConfigRequest<S>): YamlFile | undefined {
  if (explicitFile !== undefined) {
    const file = readYamlFile(explicitFile);
    if (file) return file;
    throw new ErichtError('CONFIG_UNREADABLE', { what: `cannot read ${explicitFile}`, why: 'there is no such file' });
  }
  for (const path of searchFiles) {
    const file = readYamlFile(path);
    if (file) return file;
  }
  return undefined;
}

function isSetting<S extends z.ZodType>(name: string, text: string, request: ConfigRequest<S>): boolean {
  if (!name.startsWith(request.variablePrefix)) return false;
  if (request.foreignPrefixes?.some((foreign) => name.startsWith(foreign))) return false;
  return !isServiceLink(name, text);
}

/** An override of a whole section hides what stood below it; an override below it is found by its own path first. */
function originIn(path: Path, origins: Map<string, Origin>, file: YamlFile | undefined): Origin {
  for (let length = path.length; length > 0; length -= 1) {
    const origin = origins.get(path.slice(0, length).join('.'));
    if (origin) return origin;
  }
  if (file && hasIn(file.values, path)) return { from: 'file', where: `${file.path}:${file.lineOf(path)}` };
  return { from: 'default', where: '' };
}

/**
 * A copy without the keys that have no value: a section whose lines are all commented out is null in YAML and means that
 * nothing is said. Where there is no default to fall back on, null stays and is refused: an empty `tls:` must not turn
 * encryption off.
 */
function withoutUnsaid(tree: Record<string, unknown>, schema: z.ZodType): Record<string, unknown> {
  const { fields = {} } = shapeOf(schema);
  const kept = Object.entries(tree).filter(([key, value]) => {
    const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
    return value !== null || !field || shapeOf(field).defaultValue === undefined;
  });
  return Object.fromEntries(
    kept.map(([key, value]) => {
      const isSection =
        typeof value === 'object' && value !== null && !Array.isArray(value) && Object.hasOwn(fields, key);
      return [key, isSection ? withoutUnsaid(value as Record<string, unknown>, fields[key]!) : value];
    }),
  );
}

function hasIn(tree: unknown, path: Path): boolean {
  let current = tree;
  for (const step of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, step)) return false;
    current = (current as Record<string | number, unknown>)[step];
  }
  return true;
}

function setIn(tree: Record<string, unknown>, path: string[], value: unknown): void {
  let current = tree;
  for (const step of path.slice(0, -1)) {
    const inner = current[step];
    const next = typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? inner : {};
    current[step] = next;
    current = next as Record<string, unknown>;
  }
  current[path.at(-1)!] = value;
}
