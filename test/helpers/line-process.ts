import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { CollectorCounts } from '../../collector/process.ts';
import type { Teardown } from './temp.ts';
import { until, within } from './until.ts';

/** One line of what a helper process prints; which fields it has goes by its event. */
export interface ToldLine {
  event: string;
  rows?: number;
  counts?: CollectorCounts;
  problem?: string;
  rebuilds?: number;
  lag?: number;
  at?: number;
  stalledMs?: number;
  nodes?: { nodeId: string; runId: string; sampled: number; acknowledged: number; notSent: number; waiting: number }[];
}

/** A helper process that prints one JSON object per line. It is killed when the test ends. */
export class LineProcess {
  readonly child: ChildProcess;
  readonly lines: ToldLine[] = [];
  readonly stderr: string[] = [];
  readonly #script: string;
  readonly #listeners = new Set<(line: ToldLine) => void>();

  constructor(t: Teardown, script: string, args: string[], environment: NodeJS.ProcessEnv = {}) {
    this.#script = script;
    const path = fileURLToPath(new URL(script, import.meta.url));
    const env = { ...process.env, ...environment };
    const child = spawn(process.execPath, [path, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    t.teardown(() => child.kill('SIGKILL'));
    createInterface({ input: child.stdout }).on('line', (text) => {
      const line = JSON.parse(text) as ToldLine;
      this.lines.push(line);
      for (const listener of this.#listeners) listener(line);
    });
    createInterface({ input: child.stderr }).on('line', (text) => this.stderr.push(text));
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  of(event: string): ToldLine[] {
    return this.lines.filter((line) => line.event === event);
  }

  last(event: string): ToldLine | undefined {
    return this.lines.findLast((line) => line.event === event);
  }

  /** Waits for the first line of this kind, or fails with what the process said on stderr. */
  first(event: string, limitMs = 60_000): Promise<ToldLine> {
    return this.nth(event, 1, limitMs);
  }

  /** The same for the nth line of this kind, counted from 1. */
  async nth(event: string, n: number, limitMs = 60_000): Promise<ToldLine> {
    const what = `${n} x "${event}" from ${this.#script}`;
    await until(what, () => this.hasEnded || this.of(event).length >= n, { limitMs, everyMs: 5 }).catch((error) => {
      throw new Error(`${error.message}; it said\n${this.stderr.slice(-20).join('\n')}`);
    });
    const line = this.of(event)[n - 1];
    if (line === undefined) throw new Error(`ended before ${what}:\n${this.stderr.slice(-20).join('\n')}`);
    return line;
  }

  /** Called with each line as soon as it is read. Returns what takes the listener off. */
  onLine(listener: (line: ToldLine) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when it is gone and all its lines are read. */
  async kill(signal: NodeJS.Signals = 'SIGKILL', limitMs = 30_000): Promise<void> {
    if (this.hasEnded) return;
    const ended = once(this.child, 'close');
    this.child.kill(signal);
    const said = () => this.stderr.slice(-20).join('\n');
    await within(limitMs, ended, () => `${this.#script} did not end within ${limitMs} ms of ${signal}:\n${said()}`);
  }
}
