/** Which folders a folder may import from, beside itself; a path ending in .ts allows that one file. */
export const MAY_IMPORT: Record<string, string[]> = {
  lib: [],
  telemetry: [],
  kafka: ['lib'],
  hardware: ['lib'],
  agent: ['telemetry', 'hardware', 'kafka', 'lib'],
  collector: ['telemetry', 'kafka', 'lib'],
  dashboard: ['telemetry', 'kafka', 'lib', 'collector/store/port.ts'],
  provision: ['telemetry', 'hardware', 'lib'],
  cli: ['telemetry', 'hardware', 'kafka', 'lib', 'agent', 'collector', 'dashboard', 'provision'],
  bench: ['telemetry', 'hardware', 'kafka', 'lib', 'agent', 'collector', 'dashboard', 'provision', 'cli', 'test'],
  test: ['telemetry', 'hardware', 'kafka', 'lib', 'agent', 'collector', 'dashboard', 'provision', 'cli', 'bench'],
};

/** Judges and measures: they may look at everything by every means. */
export const BESIDE_THE_PRODUCT = ['test/', 'bench/'];

/** Packages that one place wraps for all. A path ending in / is a folder, one with * in front is the end of a path. */
export const PACKAGE_OWNERS: Record<string, string[]> = {
  kafkajs: ['kafka/'],
  'cassandra-driver': ['collector/store/cassandra/'],
  'node:sqlite': ['collector/store/sqlite/'],
  'node-cron': ['lib/cron.ts'],
  'i2c-bus': ['hardware/'],
  pino: ['lib/log.ts'],
  dockerode: ['agent/'],
  systeminformation: ['agent/'],
  fastify: ['dashboard/'],
  'prom-client': ['dashboard/', 'agent/', 'collector/'],
  'node:timers': ['lib/clock.ts'],
  'node:timers/promises': ['lib/clock.ts'],
  'node:process': [],
};

/** Packages that exactly one file may import, wherever that is in the owner's folder. */
export const IN_ONE_FILE = ['i2c-bus', 'node-cron'];

/** Where the environment is read and the process is ended. The entry of a worker ends only its own thread. */
const ENTRY_POINTS = [
  'cli/ericht.js',
  'cli/main.ts',
  'provision/stack/main.ts',
  'provision/bundle/main.ts',
  'lib/shutdown.ts',
  '*worker.ts',
];

export interface Usage {
  name: string;
  pattern: RegExp;
  allowedIn: string[];
  instead: string;
}

const CLOCK = { allowedIn: ['lib/clock.ts', 'dashboard/web/'], instead: 'take a Clock from lib/clock.ts' };
const ENTRY = { allowedIn: ENTRY_POINTS, instead: 'let the entry point read it and pass it in' };

/** What only some files may touch, so that tests can move time and nothing hidden decides. */
export const USAGES: Usage[] = [
  { name: 'process.env', pattern: /\bprocess\s*(?:\?\.|\.)\s*env\b/, ...ENTRY },
  { name: 'process.exit', pattern: /\bprocess\s*(?:\?\.|\.)\s*exit\b/, ...ENTRY },
  { name: 'process taken apart', pattern: /\}\s*=\s*process\s*;/, ...ENTRY },
  { name: 'Date.now', pattern: /\bDate\s*\.\s*now\b/, ...CLOCK },
  { name: 'new Date()', pattern: /\bnew\s+Date\s*(?:\(\s*\)|(?=[;,)\]}.\n]))/, ...CLOCK },
  { name: 'performance.now', pattern: /\bperformance\s*\.\s*now\b/, ...CLOCK },
  { name: 'process.hrtime', pattern: /\bprocess\s*\.\s*hrtime\b/, ...CLOCK },
  { name: 'setTimeout', pattern: /(?:(?<![.\w])|\bglobalThis\s*\.\s*)setTimeout\b/, ...CLOCK },
  { name: 'setInterval', pattern: /(?:(?<![.\w])|\bglobalThis\s*\.\s*)setInterval\b/, ...CLOCK },
  { name: 'AbortSignal.timeout', pattern: /\bAbortSignal\s*\.\s*timeout\b/, ...CLOCK },
];

export interface Exception {
  path: string;
  /** Name of the rule, of the usage or of the package. */
  rule: string;
  reason: string;
}

/** Every exception to a rule, with its reason. One that is no longer needed is reported too. */
export const EXCEPTIONS: Exception[] = [];

/** Longer files say more than one thing. */
export const MOST_LINES = 400;

/** Files with code of ours. */
export const SOURCE_FILE = /\.(?:ts|tsx|js|mjs|cjs|css|html|sh|cql|sql)$/;

export const KEBAB_CASE = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+(?:-[a-z0-9]+)*)*$/;

/** Names for files that hold whatever was left over. */
export const VAGUE_NAME = /(?:^|[-./])(?:utils?|misc|common|stuff)(?:[-./]|$)/;

/** What is true only where somebody happened to write it. Pieces, so that this file doesn't break its own rule. */
export const MACHINE_BOUND: { name: string; pattern: RegExp }[] = [
  {
    name: 'a path of one machine',
    pattern: new RegExp(`(?<![\\w.@~-])/(?:${['work', 'root', 'Users'].join('|')})/[\\w.]`),
  },
  { name: 'a path of one user', pattern: new RegExp(`(?<![\\w.@~-])/${'home'}/(?!(?:[a-z]|pi|user|you)/)[\\w-]+/`) },
  {
    name: 'the address of a package registry',
    pattern: new RegExp(
      `https?://[^\\s"'/]*(?:${['registry', 'artifactory', 'nexus', 'mirror', 'pypi', 'proxy'].join('|')})`,
    ),
  },
];
