import { spawn } from 'node:child_process';
import type { Clock } from '../lib/clock.ts';
import { ErichtError } from '../lib/errors.ts';

/** What a tool says in one short answer; more is a fault of the tool. */
const MOST_CHARACTERS = 4096;

export interface RunningTool {
  /** What it printed, standard output first. Rejects if it can't be started, fails, is late or talks too much. */
  answer: Promise<string>;
  /** Resolves when the process is gone, however long that takes. */
  ended: Promise<void>;
  /** Kills it, by its own id. */
  kill(): void;
}

export type RunTool = (path: string, args: string[], limitMs: number) => RunningTool;

/**
 * Runs a program as a child process with nothing to read and an environment of its own (LC_ALL=C), and kills it when it
 * is late. A process that the kernel holds fast outlives its kill: `ended` tells, so that no second one is begun.
 */
export function toolRunner(clock: Clock): RunTool {
  return (path, args, limitMs) => {
    const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { LC_ALL: 'C', PATH: '/usr/bin:/bin' } });
    const kill = () => void child.kill('SIGKILL');
    const what = `running ${path}`;
    let [stdout, stderr] = ['', ''];
    const collect = () => {
      if (stdout.length + stderr.length > MOST_CHARACTERS) kill();
    };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      collect();
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      collect();
    });
    const ended = new Promise<void>((resolve) => {
      child.once('error', () => child.pid === undefined && resolve());
      child.once('exit', () => resolve());
    });
    const answer = new Promise<string>((resolve, reject) => {
      const refuse = (why: string) => reject(new ErichtError('SENSOR_UNREADABLE', { what, why }));
      const timer = clock.setTimer(() => {
        kill();
        // Its output may be held open by a child of its own.
        child.stdout.destroy();
        child.stderr.destroy();
        refuse(`no answer within ${limitMs} ms`);
      }, limitMs);
      child.once('error', (error) => {
        clock.clear(timer);
        refuse(error.message);
      });
      child.once('close', (code, signal) => {
        clock.clear(timer);
        const text = (stdout + stderr).trim();
        if (text.length > MOST_CHARACTERS) refuse('it does not stop talking');
        else if (code === 0) resolve(text);
        else refuse(text.split('\n')[0] || (signal ? `it was ended by ${signal}` : `it ended with code ${code}`));
      });
    });
    // Whoever kills it need not wait for its answer.
    answer.catch(() => {});
    return { answer, ended, kill };
  };
}
