import { availableParallelism } from 'node:os';
import { relative } from 'node:path';

export interface Suite {
  name: string;
  /** What it is for, in the list. */
  about: string;
  /** Files at the same time. */
  jobs: number;
  /** For each file. */
  fileLimitMs: number;
  /** For all of it, preparation too. */
  limitMs: number;
  /** What must be there, set up in this order. */
  needs: Need[];
}

export type Need = 'stack' | 'chromium' | 'faketime' | 'board';

const MINUTE = 60_000;

/** In the order in which they run. A file x.test.ts is of unit, x.NAME.test.ts of NAME. */
export const SUITES: Suite[] = [
  {
    name: 'unit',
    about: 'types, lint, house rules, and everything that needs no service',
    jobs: availableParallelism(),
    fileLimitMs: MINUTE,
    limitMs: 5 * MINUTE,
    needs: [],
  },
  {
    name: 'pipeline',
    about: 'through a real Kafka and a real Cassandra',
    jobs: 1,
    fileLimitMs: 5 * MINUTE,
    limitMs: 20 * MINUTE,
    needs: ['stack'],
  },
  {
    name: 'agent',
    about: 'on a board in a VM, with a stand-in INA226 and the kernel as the judge',
    jobs: 1,
    fileLimitMs: 15 * MINUTE,
    limitMs: 45 * MINUTE,
    needs: ['board'],
  },
  {
    name: 'faults',
    about: 'processes and servers killed, stopped and paused',
    jobs: 1,
    fileLimitMs: 10 * MINUTE,
    limitMs: 30 * MINUTE,
    needs: ['stack', 'faketime'],
  },
  {
    name: 'screen',
    about: 'the page in a real browser',
    jobs: 1,
    fileLimitMs: 5 * MINUTE,
    limitMs: 15 * MINUTE,
    needs: ['chromium'],
  },
];

/** The name of the suite that a test file belongs to, whether or not there is such a suite. */
export function suiteOf(file: string): string {
  return /\.([\w-]+)\.test\.ts$/.exec(file)?.[1] ?? 'unit';
}

export interface Selection {
  suite: Suite;
  files: string[];
}

/**
 * Sorts files into suites and keeps those asked for. A word that is no suite keeps the files whose path holds it. Throws
 * for a word that matches nothing, and for a file that no suite would ever run.
 */
export function select(suites: Suite[], files: string[], words: string[], root: string): Selection[] {
  const stray = files.find((file) => !suites.some(({ name }) => name === suiteOf(file)));
  if (stray) throw new Error(`${relative(root, stray)}: there is no suite "${suiteOf(stray)}"`);
  const names = words.filter((word) => suites.some(({ name }) => name === word));
  const parts = words.filter((word) => !names.includes(word));
  const unmatched = parts.find((part) => !files.some((file) => relative(root, file).includes(part)));
  if (unmatched) throw new Error(`"${unmatched}" is no suite, and no test file's path holds it`);
  const wanted = (file: string) => parts.length === 0 || parts.some((part) => relative(root, file).includes(part));
  return suites
    .filter(({ name }) => names.length === 0 || names.includes(name))
    .map((suite) => ({ suite, files: files.filter((file) => suiteOf(file) === suite.name && wanted(file)) }))
    .filter((selection) => parts.length === 0 || selection.files.length > 0);
}
