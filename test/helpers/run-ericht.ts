import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Teardown } from './temp.ts';
import { within } from './until.ts';

const COMMAND = fileURLToPath(new URL('../../cli/ericht.js', import.meta.url));

/** Outside of the folders of tests, which are new each time: a start from nothing is three times as slow. */
const COMPILED = fileURLToPath(new URL('../../node_modules/.cache/ericht-test', import.meta.url));

export interface RunOptions {
  /** Its home and working folder: neither the user's settings nor the repository's are read. */
  folder: string;
  environment?: Record<string, string>;
}

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  process: ChildProcess;
  /** What it has written so far. */
  stdout(): string;
  stderr(): string;
  /** Fails when it has not ended within `END_LIMIT_MS` of being asked for. */
  readonly ended: Promise<Ended>;
}

/** Far more than the 10 s after which a stop gives up by itself. */
const END_LIMIT_MS = 60_000;

/** Starts the real command with an environment of its own. It is killed when the test ends. */
export function startEricht(t: Teardown, args: string[], { folder, environment = {} }: RunOptions): Running {
  const child = spawn(process.execPath, [COMMAND, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, NODE_COMPILE_CACHE: COMPILED, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }));
  const late = () => {
    return `ericht ${args.join(' ')} did not end within ${END_LIMIT_MS} ms; it said\n${stdout}\n${stderr}`;
  };
  return {
    process: child,
    stdout: () => stdout,
    stderr: () => stderr,
    get ended() {
      return within(END_LIMIT_MS, ended, late);
    },
  };
}

/** Runs the real command to its end. */
export function runEricht(t: Teardown, args: string[], options: RunOptions): Promise<Ended> {
  return startEricht(t, args, options).ended;
}
