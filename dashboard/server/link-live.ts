import type { Clock } from '../../lib/clock.ts';
import type { LiveHandlers, LiveSource, TransportStatus } from './live-source.ts';

/** What of an in-process link a dashboard needs. */
export interface TappedLink {
  /** Shows every valid record as it arrives; returns what takes the tap off. */
  tap(handlers: LiveHandlers): () => unknown;
  /** `lag`: records that wait to be stored. */
  status(): { readable: boolean; lag?: number | undefined };
}

/** Records that wait for longer than this are not being stored, and a link without a spool makes the agents wait. */
const STUCK_AFTER_MS = 2000;

/** Live values of agents in the same process. */
export class LinkLive implements LiveSource {
  readonly #link: TappedLink;
  readonly #clock: Clock;
  #since: number;
  #readable = true;
  #waitingSinceMs: number | undefined;
  #untap: (() => unknown) | undefined;

  constructor(link: TappedLink, clock: Clock) {
    this.#link = link;
    this.#clock = clock;
    this.#since = clock.now();
  }

  async start(handlers: LiveHandlers): Promise<void> {
    this.#untap = this.#link.tap({
      report: (live) => {
        // Something new came through, so what waits is new, too.
        this.#waitingSinceMs = undefined;
        handlers.report(live);
      },
      facts: handlers.facts,
    });
  }

  async stop(): Promise<void> {
    this.#untap?.();
    this.#untap = undefined;
  }

  pipeline(): TransportStatus {
    const { readable, lag } = this.#link.status();
    this.#waitingSinceMs = lag ? (this.#waitingSinceMs ?? this.#clock.monotonicMs()) : undefined;
    const waitedMs = this.#waitingSinceMs === undefined ? 0 : this.#clock.monotonicMs() - this.#waitingSinceMs;
    const open = readable && waitedMs < STUCK_AFTER_MS;
    if (open !== this.#readable) {
      this.#readable = open;
      this.#since = this.#clock.now();
    }
    return {
      transport: 'link',
      readable: open,
      since: this.#since,
      ...(lag === undefined ? {} : { collectorLag: lag }),
    };
  }
}
