import { spawn } from 'node:child_process';
import { systemClock } from '../../lib/clock.ts';

/** Runs a program of this machine and returns what it printed; throws with it when the program fails. */
export function runTool(
  command: string,
  args: string[],
  { limitMs = 120_000, cwd, env }: { limitMs?: number; cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd, env: env ?? process.env });
    const timer = systemClock.setTimer(() => {
      child.kill('SIGKILL');
      // What it has started may live on and hold these open, and 'close' waits for them.
      child.stdout.destroy();
      child.stderr.destroy();
    }, limitMs);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    }
    child.on('error', reject);
    child.on('close', (code, signal) => {
      systemClock.clear(timer);
      if (code === 0) return resolve(output);
      reject(
        new Error(
          `${command} ${args.join(' ').slice(0, 200)}: ${signal ?? `exit code ${code}`}\n${output.slice(-3000)}`,
        ),
      );
    });
  });
}
