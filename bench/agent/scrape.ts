import { Agent, get } from 'node:http';
import { type Clock, sleep } from '../../lib/clock.ts';

/** Asks an exporter once a second, as a Prometheus would, over one connection that is kept. */
export class Scraper {
  readonly #url: string;
  readonly #clock: Clock;
  readonly #connection = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #stopped = new AbortController();
  #scrapes = 0;
  #bytes = 0;
  #loop: Promise<void> | undefined;

  constructor(url: string, clock: Clock) {
    this.#url = url;
    this.#clock = clock;
  }

  /** How often it was answered, and the bytes of the answers' bodies as they are sent. */
  get counts(): { scrapes: number; bytes: number } {
    return { scrapes: this.#scrapes, bytes: this.#bytes };
  }

  start(): void {
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#loop;
    this.#connection.destroy();
  }

  async #run(): Promise<void> {
    const startedMs = this.#clock.monotonicMs();
    for (let second = 1; !this.#stopped.signal.aborted; second += 1) {
      // An exporter that is just starting refuses the first.
      const bytes = await this.#scrape().catch(() => undefined);
      if (bytes !== undefined) {
        this.#scrapes += 1;
        this.#bytes += bytes;
      }
      await sleep(this.#clock, startedMs + second * 1000 - this.#clock.monotonicMs(), this.#stopped.signal);
    }
  }

  #scrape(): Promise<number> {
    return new Promise((resolve, reject) => {
      const headers = { 'accept-encoding': 'gzip' };
      const request = get(this.#url, { agent: this.#connection, headers, timeout: 5000 }, (response) => {
        let bytes = 0;
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
        });
        response.on('end', () => (response.statusCode === 200 ? resolve(bytes) : reject(new Error('not answered'))));
        response.on('error', reject);
      });
      request.on('timeout', () => request.destroy(new Error('no answer within 5 s')));
      request.on('error', reject);
    });
  }
}
