import { readFileSync } from 'node:fs';
import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { ErichtError, reasonOf } from './errors.ts';

/** A YAML file whose root is a map, with the line that each of its keys stands on. */
export interface YamlFile {
  path: string;
  values: Record<string, unknown>;
  /** The line of the key (or list entry) at `path`, else of the nearest one above it. */
  lineOf(path: readonly (string | number)[]): number;
}

/** Undefined if there is no such file. Throws CONFIG_UNREADABLE or CONFIG_INVALID. */
export function readYamlFile(path: string): YamlFile | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new ErichtError('CONFIG_UNREADABLE', { what: `cannot read ${path}`, why: reasonOf(error), cause: error });
  }
  return parseYamlFile(path, text);
}

function parseYamlFile(path: string, text: string): YamlFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [problem] = document.errors;
  if (problem) {
    throw new ErichtError('CONFIG_INVALID', {
      what: `${path}:${lines.linePos(problem.pos[0]).line}: this is not YAML`,
      why: problem.code === 'MULTIPLE_DOCS' ? 'it holds more than one document' : problem.message,
    });
  }
  const root = document.contents as Node | null;
  if (root !== null && !isMap(root) && !(isScalar(root) && root.value === null)) {
    throw new ErichtError('CONFIG_INVALID', {
      what: `${path}:1: expected keys with values`,
      next: 'write lines such as "interval: 1s"',
    });
  }
  const values = (plainValues(path, document) ?? {}) as Record<string, unknown>;
  return { path, values, lineOf: (steps) => lineOf(root, steps, lines) };
}

/** Aliases are resolved here, and only so many: a file of some lines can stand for gigabytes. */
function plainValues(path: string, document: Document): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw new ErichtError('CONFIG_INVALID', { what: `cannot read ${path}`, why: reasonOf(error), cause: error });
  }
}

function lineOf(root: Node | null, steps: readonly (string | number)[], lines: LineCounter): number {
  let node: unknown = root;
  let line = 1;
  for (const step of steps) {
    let marked: unknown;
    if (isMap(node)) {
      const pair = node.items.find((item) => String(isScalar(item.key) ? item.key.value : item.key) === String(step));
      marked = pair?.key;
      node = pair?.value;
    } else if (isSeq(node)) {
      marked = node.items[Number(step)];
      node = marked;
    }
    const start = (marked as Node | undefined)?.range?.[0];
    if (start === undefined) return line;
    line = lines.linePos(start).line;
  }
  return line;
}
