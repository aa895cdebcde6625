import type { z } from 'zod';
import type { Origin, Path } from './config-origin.ts';
import { ErichtError } from './errors.ts';
import { editDistance } from './nearest.ts';
import { leafPaths, schemaAt, shapeOf } from './schema-shape.ts';

export interface Problem {
  /** Place and fault: "ericht.yaml:3: port can't be 99999". */
  what: string;
  why?: string | undefined;
  next?: string | undefined;
}

/** Beyond these, the first ones would leave the screen. */
const MOST_TOLD = 10;

type OriginOf = (path: Path) => Origin;

/**
 * What a schema had against a tree, in sentences that name the place. A rule over several fields brings its own
 * sentence and says so by `params: { sentence: true }`.
 */
export function problemsOf(schema: z.ZodType, error: z.ZodError, tree: unknown, originOf: OriginOf): Problem[] {
  return error.issues.flatMap((issue): Problem[] => {
    const path = issue.path.filter((step) => typeof step !== 'symbol');
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => unknownKey(schema, [...path, key], originOf([...path, key])));
    }
    // What is missing stands nowhere: the section that lacks it does.
    const origin = originOf(valueIn(tree, path) === undefined ? path.slice(0, -1) : path);
    return [wrongValue(schema, path, issue, tree, origin)];
  });
}

function unknownKey(schema: z.ZodType, path: Path, origin: Origin): Problem {
  const near = nearestKey(schema, path);
  const siblings = Object.keys(shapeOf(schemaAt(schema, path.slice(0, -1)) ?? schema).fields ?? {});
  return {
    what: `${place(origin)}unknown key ${written(path)}`,
    next: near ? `the nearest known key is ${near}` : `known here: ${siblings.join(', ')}`,
  };
}

/** Looks beside the key first; a right name in the wrong section counts as near as well. */
function nearestKey(schema: z.ZodType, path: Path): string | undefined {
  const parent = path.slice(0, -1);
  const last = String(path.at(-1)).toLowerCase();
  const siblings = Object.keys(shapeOf(schemaAt(schema, parent) ?? schema).fields ?? {});
  const candidates = [
    ...siblings.map((key) => ({ key, written: written([...parent, key]), extra: 0 })),
    ...leafPaths(schema).map((full) => ({ key: full.split('.').at(-1)!, written: full, extra: 1 })),
  ];
  const ranked = candidates
    .map((candidate) => ({ ...candidate, distance: editDistance(last, candidate.key.toLowerCase()) }))
    .filter(({ distance, key }) => distance <= Math.max(1, Math.floor(Math.max(last.length, key.length) * 0.4)))
    .toSorted((one, other) => one.distance + one.extra - (other.distance + other.extra));
  return ranked[0]?.written;
}

function wrongValue(schema: z.ZodType, path: Path, issue: z.core.$ZodIssue, tree: unknown, origin: Origin): Problem {
  const at = schemaAt(schema, path);
  const description = at && shapeOf(at).description;
  const value = valueIn(tree, path);
  const next = description && path.length > 0 ? `it means: ${description}` : undefined;
  if (issue.code === 'custom' && issue.params?.sentence) return { what: `${place(origin)}${issue.message}` };
  if (value === undefined) return { what: `${place(origin)}${written(path)} is missing`, next };
  return {
    what: `${place(origin)}${written(path)} can't be ${JSON.stringify(value)}`,
    why: expected(issue, value),
    next,
  };
}

function expected(issue: z.core.$ZodIssue, value: unknown): string {
  switch (issue.code) {
    case 'invalid_value':
      return `expected ${issue.values.map((value) => String(value)).join(' or ')}`;
    case 'invalid_type':
      return isOwnSentence(issue)
        ? issue.message
        : `expected ${NAMES[issue.expected] ?? issue.expected}${quotes(issue, value)}`;
    case 'too_small':
      if (isOwnSentence(issue)) return issue.message;
      return issue.inclusive === false ? `it must be above ${issue.minimum}` : `the least is ${issue.minimum}`;
    case 'too_big':
      return `the most is ${issue.maximum}`;
    default:
      return issue.message;
  }
}

/** Whether the schema brought a sentence: the library's own speak of types, and all begin alike. */
function isOwnSentence({ message }: z.core.$ZodIssue): boolean {
  return !/^(Invalid input|Too small|Too big)/.test(message);
}

/** YAML reads `nodeId: 7` as a number. */
function quotes(issue: z.core.$ZodIssueInvalidType, value: unknown): string {
  const isScalar = typeof value === 'number' || typeof value === 'boolean';
  return issue.expected === 'string' && isScalar ? ': write it in quotes' : '';
}

const NAMES: Record<string, string> = {
  int: 'a whole number',
  number: 'a number',
  string: 'text',
  boolean: 'true or false',
  array: 'a list',
  object: 'keys with values',
};

function place(origin: Origin): string {
  return origin.where ? `${origin.where}: ` : '';
}

/** `rails[0].label`. */
function written(path: Path): string {
  return path.map((step, index) => (typeof step === 'number' ? `[${step}]` : (index ? '.' : '') + step)).join('');
}

function valueIn(tree: unknown, path: Path): unknown {
  return path.reduce<unknown>((at, step) => (at as Record<string | number, unknown> | undefined)?.[step], tree);
}

/** One sentence for one problem; one line each for several, so that all can be mended in one go. */
export function toError(problems: Problem[]): ErichtError {
  const [only] = problems;
  if (only && problems.length === 1) {
    const { what, why, next } = only;
    return new ErichtError('CONFIG_INVALID', { what, ...(why && { why }), ...(next && { next }) });
  }
  const lines = problems
    .slice(0, MOST_TOLD)
    .map(({ what, why, next }) => `  ${what}${why ? `: ${why}` : ''}${next ? ` (${next})` : ''}`);
  if (problems.length > MOST_TOLD) lines.push(`  and ${problems.length - MOST_TOLD} more`);
  return new ErichtError('CONFIG_INVALID', {
    what: `${problems.length} things in the configuration are wrong`,
    why: `\n${lines.join('\n')}`,
  });
}
