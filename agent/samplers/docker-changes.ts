import type { Readable } from 'node:stream';
import { type Clock, sleep } from '../../lib/clock.ts';
import { LineBuffer, parseEvent } from './docker-events.ts';

/** One thing done to a container makes several events: they are answered by one question. */
const SETTLE_MS = 250;
/** With more changes than this at once, a list of all is cheaper. */
const MOST_CHANGED = 64;

export class StreamEnded extends Error {
  constructor() {
    super('it has closed the connection');
  }
}

/** What the event stream of an engine has called changed since it was last asked. Ends with close(). */
export class DockerChanges {
  readonly #stream: Readable;
  readonly #clock: Clock;
  readonly #lines = new LineBuffer();
  readonly #ids = new Set<string>();
  readonly #gone = new Set<string>();
  #everything = false;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(stream: Readable, clock: Clock) {
    this.#stream = stream;
    this.#clock = clock;
    stream.on('data', (chunk: Buffer) => this.#read(chunk));
    for (const event of ['end', 'close', 'error']) stream.on(event, () => this.#fail(new StreamEnded()));
  }

  /** Resolves soon after a change, at the limit, or at the stop. Rejects once the stream has ended. */
  async wait(limitMs: number, signal: AbortSignal): Promise<void> {
    if (this.#isQuiet) {
      const woken = new AbortController();
      const wake = () => woken.abort();
      this.#wake = wake;
      signal.addEventListener('abort', wake);
      await sleep(this.#clock, limitMs, woken.signal);
      signal.removeEventListener('abort', wake);
      this.#wake = undefined;
    }
    if (!this.#isQuiet && !this.#failure) await sleep(this.#clock, SETTLE_MS, signal);
    if (this.#failure) throw this.#failure;
  }

  take(): { ids: string[]; gone: string[]; everything: boolean } {
    const changes = { ids: [...this.#ids], gone: [...this.#gone], everything: this.#everything };
    this.#ids.clear();
    this.#gone.clear();
    this.#everything = false;
    return changes;
  }

  wantEverything(): void {
    this.#everything = true;
  }

  close(): void {
    this.#stream.destroy();
  }

  get #isQuiet(): boolean {
    return !this.#everything && !this.#failure && this.#ids.size === 0 && this.#gone.size === 0;
  }

  #read(chunk: Buffer): void {
    try {
      for (const line of this.#lines.push(chunk)) this.#note(line);
    } catch (error) {
      this.#fail(error as Error);
    }
    if (!this.#isQuiet) this.#wake?.();
  }

  #note(line: string): void {
    const event = parseEvent(line);
    if (event?.kind === 'swarm') this.#everything = true;
    if (event?.kind === 'container') this.#ids.add(event.id);
    if (event?.kind === 'container-gone') {
      this.#ids.delete(event.id);
      this.#gone.add(event.id);
    }
    if (this.#ids.size + this.#gone.size <= MOST_CHANGED) return;
    this.#ids.clear();
    this.#gone.clear();
    this.#everything = true;
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#wake?.();
  }
}
