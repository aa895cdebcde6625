import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { CollectorCounts } from '../../collector/process.ts';
import type { Teardown } from './temp.ts';
import { until } from './until.ts';

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
  readonly #listeners = new Set<(line: ToldLine) => void>();

  constructor(t: Teardown, script: string, args: string[], environment: NodeJS.ProcessEnv = {}) {
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
  async first(event: string, limitMs = 60_000): Promise<ToldLine> {
    await until(`"${event}" from the process`, () => this.hasEnded || this.last(event), { limitMs });
    const line = this.of(event)[0];
    if (line === undefined) throw new Error(`ended without "${event}":\n${this.stderr.slice(-20).join('\n')}`);
    return line;
  }

  /** Called with each line as soon as it is read. Returns what takes the listener off. */
  onLine(listener: (line: ToldLine) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.hasEnded) return;
    const ended = once(this.child, 'close');
    this.child.kill(signal);
    await ended;
  }
}
