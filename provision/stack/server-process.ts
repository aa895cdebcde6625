import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { type Clock, sleep } from '../../lib/clock.ts';
import { withDeadline } from '../../lib/deadline.ts';
import { ErichtError, reasonOf } from '../../lib/errors.ts';

/**
 * Runs the arguments under the shell's own process id. The watcher beside it reads a pipe that only our process holds:
 * when we die, however hard, the pipe ends and the server is stopped, so no server outlives whoever started it.
 */
const TIED_TO_US = `exec 3<&0 </dev/null
{
  read -r _ <&3
  kill -CONT $$; kill -TERM $$
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do kill -0 $$ || exit; sleep 1; done
  kill -KILL $$
} >/dev/null 2>&1 &
exec "$@" 3<&-`;

/** What the kernel may take for a process with a large heap on a busy machine, once it is killed. */
const KILL_LIMIT_MS = 30_000;

export interface ServerProcessOptions {
  /** As it stands in messages: "kafka-1". */
  name: string;
  command: string;
  args: string[];
  /** Everything the server prints is added to it. */
  logFile: string;
  clock: Clock;
}

/** One server program: started in a process group of its own, so that Ctrl-C on the terminal reaches only us. */
export class ServerProcess {
  readonly #options: ServerProcessOptions;
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  /** Somebody here has told it to end. */
  #dismissed = false;

  constructor(options: ServerProcessOptions) {
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  start(): void {
    if (this.#child) return;
    const { command, args, logFile } = this.#options;
    const log = openSync(logFile, 'a');
    const child = spawn('/bin/sh', ['-c', TIED_TO_US, 'sh', command, ...args], {
      stdio: ['pipe', log, log],
      detached: true,
    });
    closeSync(log);
    this.#dismissed = false;
    // A server that is gone closes its end of the pipe; that it is gone is told by 'exit'.
    child.stdin?.on('error', () => {});
    this.#child = child;
    this.#exited = new Promise<void>((resolve) => {
      child.once('error', () => resolve());
      child.once('exit', () => resolve());
    }).then(() => {
      this.#child = undefined;
      // The watcher is what is left of the group.
      if (child.pid !== undefined) signalQuietly(-child.pid, 'SIGKILL');
    });
  }

  /** Resolves when `isReady` says so. Throws SERVER_DIED or DEADLINE_EXCEEDED with the end of the server's log. */
  async untilReady(isReady: () => Promise<boolean>, limitMs: number): Promise<void> {
    const { clock, name } = this.#options;
    const until = clock.monotonicMs() + limitMs;
    for (;;) {
      if (!this.#child) throw await this.#failure('SERVER_DIED', `${name} ended while it was starting`);
      if (await isReady()) return;
      if (clock.monotonicMs() > until) {
        throw await this.#failure('DEADLINE_EXCEEDED', `${name} did not answer within ${limitMs} ms`);
      }
      await sleep(clock, 50);
    }
  }

  /** Rejects with SERVER_DIED and the end of the server's log when it ends though nobody here has told it to. */
  async watch(): Promise<void> {
    await this.#exited;
    if (!this.#dismissed) throw await this.#failure('SERVER_DIED', `${this.#options.name} ended by itself`);
  }

  /** SIGTERM, then SIGKILL after `limitMs`. Idempotent. Throws DEADLINE_EXCEEDED when even that does not end it. */
  async stop(limitMs: number): Promise<void> {
    const { clock } = this.#options;
    this.#dismissed = true;
    this.signal('SIGCONT');
    this.signal('SIGTERM');
    const given = clock.setTimer(() => this.signal('SIGKILL'), limitMs);
    try {
      await this.#gone(limitMs + KILL_LIMIT_MS);
    } finally {
      clock.clear(given);
    }
  }

  /** SIGKILL: the server gets no chance to write anything. Resolves when it is gone. */
  async kill(): Promise<void> {
    this.#dismissed = true;
    this.signal('SIGKILL');
    await this.#gone(KILL_LIMIT_MS);
  }

  signal(signal: NodeJS.Signals): void {
    if (this.#child?.pid !== undefined) signalQuietly(this.#child.pid, signal);
  }

  #gone(limitMs: number): Promise<void> {
    const { name, clock } = this.#options;
    return withDeadline(this.#exited, limitMs, `${name} (process ${this.pid}) does not end`, clock);
  }

  async #failure(code: 'SERVER_DIED' | 'DEADLINE_EXCEEDED', what: string): Promise<ErichtError> {
    const { logFile } = this.#options;
    const text = await readFile(logFile, 'utf8').catch(reasonOf);
    const tail = text.trim().split('\n').slice(-12).join('\n');
    return new ErichtError(code, { what, why: `its log ends with\n${tail}\n`, next: `read ${logFile}` });
  }
}

function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has just ended by itself, which is what the signal was for.
  }
}
