import { spawn } from 'node:child_process';
import { systemClock, type TimerHandle } from '../../lib/clock.ts';
import type { Ending } from './tap-result.ts';

export interface ChildOptions {
  limitMs: number;
  /** How to ask where it stands: sent when a line of stdout matches, and a moment before a child that is late is ended. */
  ask?: { by: NodeJS.Signals; when: RegExp };
  env: Record<string, string | undefined>;
  cwd: string;
  /** Ends the child at once; its reason is what the result says. */
  signal: AbortSignal;
}

const KEPT_OUTPUT = 16 * 1024 * 1024;
const ANSWER_MS = 3000;

/**
 * Runs one program in a process group of its own, to its end or its deadline, and then ends what is left of the group:
 * a test that hangs or forgets a child doesn't hurt the next one. Servers of the stack end with the pipe to their parent.
 */
export function runChild(command: string, args: string[], options: ChildOptions): Promise<Ending & { stdout: string }> {
  const { limitMs, ask, env, cwd, signal } = options;
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    let stopped: string | undefined;
    const timers: TimerHandle[] = [];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout = (stdout + text).slice(-KEPT_OUTPUT);
      if (ask?.when.test(text)) child.kill(ask.by);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-KEPT_OUTPUT);
    });
    const killGroup = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // Nobody is left in the group.
      }
    };
    const end = (why: string) => {
      stopped ??= why;
      killGroup();
    };
    const endLate = () => {
      stopped ??= `not done within ${Math.round(limitMs / 1000)} s`;
      if (!ask) return killGroup();
      child.kill(ask.by);
      timers.push(systemClock.setTimer(killGroup, ANSWER_MS));
    };
    const interrupt = () => end(String(signal.reason));
    timers.push(systemClock.setTimer(endLate, limitMs));
    if (signal.aborted) interrupt();
    signal.addEventListener('abort', interrupt);
    const settle = (exitCode: number | null, by: NodeJS.Signals | null) => {
      for (const timer of timers) systemClock.clear(timer);
      signal.removeEventListener('abort', interrupt);
      resolve({ exitCode, signal: by, stopped, stdout, stderr });
    };
    child.once('error', (error) => {
      stderr += error.message;
      settle(127, null);
    });
    // What holds the output open after the child's end would keep 'close' from coming.
    child.once('exit', killGroup);
    child.once('close', settle);
  });
}
