import { posix } from 'node:path';
import {
  BESIDE_THE_PRODUCT,
  EXCEPTIONS,
  type Exception,
  IN_ONE_FILE,
  KEBAB_CASE,
  MACHINE_BOUND,
  MAY_IMPORT,
  MOST_LINES,
  PACKAGE_OWNERS,
  SOURCE_FILE,
  USAGES,
  VAGUE_NAME,
} from './rules.ts';
import { type Scanned, scan } from './scan.ts';

export interface SourceFile {
  /** From the project's root, with slashes. */
  path: string;
  text: string;
}

export interface Violation {
  path: string;
  line: number;
  rule: string;
  message: string;
}

const SPECIFIERS = [
  /\b(?:import|export)\b(?:[^'"`;()]*?\bfrom)?\s*(['"])([^'"\n]+)\1/g,
  /\b(?:import|require|require\.resolve)\s*\(\s*(['"`])([^'"`\n]+)\1/g,
];

/** All that is wrong in these files, exceptions taken into account; an exception without use is wrong, too. */
export function check(files: SourceFile[], exceptions: Exception[] = EXCEPTIONS): Violation[] {
  const found = [...files.flatMap(checkFile), ...checkOneFile(files)];
  const excepted = (violation: Violation) => {
    return exceptions.some(({ path, rule }) => path === violation.path && rule === violation.rule);
  };
  const unused = exceptions.filter((exception) => {
    return !found.some(({ path, rule }) => path === exception.path && rule === exception.rule);
  });
  return [
    ...found.filter((violation) => !excepted(violation)),
    ...unused.map(({ path, rule }) => ({
      path,
      line: 1,
      rule: 'exceptions',
      message: `needs no exception to "${rule}"`,
    })),
  ];
}

function checkFile(file: SourceFile): Violation[] {
  const { path, text } = file;
  const found = [...machineBound(file)];
  if (!SOURCE_FILE.test(path)) return found;
  const say = (rule: string, line: number, message: string) => found.push({ path, line, rule, message });
  for (const part of path.split('/').filter((name) => !name.startsWith('.'))) {
    if (!KEBAB_CASE.test(part)) say('names', 1, `"${part}" is not kebab-case`);
  }
  if (VAGUE_NAME.test(path)) say('names', 1, 'a name must say what is in the file');
  const lines = text.split('\n').length - 1;
  if (lines > MOST_LINES) say('length', lines, `${lines} lines; split it before ${MOST_LINES}`);
  if (!/\.[cm]?[jt]sx?$/.test(path)) return found;
  const scanned = scan(text);
  for (const { specifier, line } of importsOf(scanned)) {
    const why = specifier.startsWith('.') ? whyNotFolder(path, specifier) : whyNotPackage(path, specifier);
    if (why) say(why.rule, line, why.message);
  }
  if (isIn(path, BESIDE_THE_PRODUCT)) return found;
  for (const { name, pattern, allowedIn, instead } of USAGES) {
    if (isIn(path, allowedIn)) continue;
    scanned.codeOnly.split('\n').forEach((code, index) => {
      if (pattern.test(code)) say(name, index + 1, instead);
    });
  }
  return found;
}

/** What a source imports, statically or not. */
export function importsOf({ withoutComments, codeOnly }: Scanned): { specifier: string; line: number }[] {
  return SPECIFIERS.flatMap((pattern) => {
    const matches = [...withoutComments.matchAll(pattern)];
    // An import that stands in quotes is text.
    const inCode = matches.filter(({ index }) => codeOnly[index] !== ' ');
    return inCode.map((match) => {
      const upTo = withoutComments.slice(0, match.index + match[0].length);
      return { specifier: match[2] ?? '', line: upTo.split('\n').length };
    });
  });
}

interface Why {
  rule: string;
  message: string;
}

function whyNotFolder(path: string, specifier: string): Why | undefined {
  const target = posix.normalize(posix.join(posix.dirname(path), specifier));
  const from = folderOf(path);
  const to = folderOf(target);
  if (from === to) return undefined;
  const allowed = MAY_IMPORT[from];
  // What stands at the root are settings of tools.
  if (from === '') return undefined;
  if (!allowed) return { rule: 'imports', message: `test/house/rules.ts doesn't know the folder ${from}/` };
  if (to === '' || allowed.includes(to) || allowed.includes(target)) return undefined;
  return { rule: 'imports', message: `${from}/ may not import ${target}` };
}

function whyNotPackage(path: string, specifier: string): Why | undefined {
  const name = packageOf(specifier);
  const owners = PACKAGE_OWNERS[name];
  if (!owners || isIn(path, owners) || isIn(path, BESIDE_THE_PRODUCT)) return undefined;
  return { rule: name, message: `only ${owners.join(', ') || 'tests'} may import ${name}` };
}

function packageOf(specifier: string): string {
  if (Object.hasOwn(PACKAGE_OWNERS, specifier)) return specifier;
  if (Object.hasOwn(PACKAGE_OWNERS, `node:${specifier}`)) return `node:${specifier}`;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function checkOneFile(files: SourceFile[]): Violation[] {
  return IN_ONE_FILE.flatMap((name) => {
    const importers = files.filter(({ path, text }) => {
      if (!/\.[cm]?[jt]sx?$/.test(path) || isIn(path, BESIDE_THE_PRODUCT)) return false;
      return importsOf(scan(text)).some(({ specifier }) => specifier === name);
    });
    const message = `a second file that imports ${name}, beside ${importers[0]?.path}`;
    return importers.slice(1).map(({ path }) => ({ path, line: 1, rule: name, message }));
  });
}

function machineBound({ path, text }: SourceFile): Violation[] {
  return text.split('\n').flatMap((line, index) => {
    const bound = MACHINE_BOUND.find(({ pattern }) => pattern.test(line));
    return bound ? [{ path, line: index + 1, rule: 'machine', message: `names ${bound.name}` }] : [];
  });
}

function folderOf(path: string): string {
  return path.includes('/') ? (path.split('/')[0] ?? '') : '';
}

function isIn(path: string, places: string[]): boolean {
  return places.some((place) => {
    if (place.startsWith('*')) return path.endsWith(place.slice(1));
    return place.endsWith('/') ? path.startsWith(place) : path === place;
  });
}
