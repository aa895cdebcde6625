import { spawn } from 'node:child_process';
import type { Clock } from '../../lib/clock.ts';
import { ErichtError } from '../../lib/errors.ts';

export interface CommandResult {
  exitCode: number;
  /** Standard output and standard error as they came, at most the last 64 KiB. */
  output: string;
}

const KEPT_OUTPUT = 65_536;

/**
 * Runs a program to its end. Throws TOOL_MISSING, with `install` as what to do, where it is not installed, and
 * DEADLINE_EXCEEDED (the program is killed) after `limitMs`.
 */
export function runCommand(
  command: string,
  args: string[],
  { limitMs, clock, install, signal }: { limitMs: number; clock: Clock; install: string; signal?: AbortSignal },
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...(signal && { signal }) });
    let output = '';
    const keep = (chunk: string) => {
      output = (output + chunk).slice(-KEPT_OUTPUT);
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    let overdue = false;
    const timer = clock.setTimer(() => {
      overdue = true;
      child.kill('SIGKILL');
      // What it has started may live on and hold these open, and 'close' waits for them.
      child.stdout.destroy();
      child.stderr.destroy();
    }, limitMs);
    child.on('error', (cause: NodeJS.ErrnoException) => {
      clock.clear(timer);
      if (cause.code !== 'ENOENT') return reject(cause);
      reject(new ErichtError('TOOL_MISSING', { what: `"${command}" is not installed`, next: install, cause }));
    });
    child.on('close', (code) => {
      clock.clear(timer);
      if (!overdue) return resolve({ exitCode: code ?? 1, output });
      reject(
        new ErichtError('DEADLINE_EXCEEDED', { what: `running ${command}`, why: `not done within ${limitMs} ms` }),
      );
    });
  });
}
