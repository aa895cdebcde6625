import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Teardown } from './temp.ts';

export interface StuckDevice {
  path: string;
  /** Answers whoever waits for it; false where nobody does. */
  answer(text: string): boolean;
}

/** A file whose reader waits for ever, as for a device that has hung: a pipe in which nobody writes. */
export function stuckDevice(t: Teardown, path: string): StuckDevice {
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { force: true });
  execFileSync('mkfifo', [path]);
  const answer = (text: string): boolean => {
    try {
      const pipe = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
      writeSync(pipe, text);
      closeSync(pipe);
      return true;
    } catch {
      // Nobody waits there, or the test has removed it.
      return false;
    }
  };
  // A thread that still waits would keep the process of the test from ending.
  t.teardown(() => answer(''));
  return { path, answer };
}
