import { isDeepStrictEqual } from 'node:util';
import type { Clock, TimerHandle } from '../lib/clock.ts';
import { withDeadline } from '../lib/deadline.ts';
import { reasonOf } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import { FACTS_EVERY_MS, type Facts } from '../telemetry/facts.ts';
import { type Identity, identityOf } from './assemble.ts';
import type { FactsPart } from './facts.ts';

/** How often it is looked whether anything has changed that no sampler tells. */
const LOOK_EVERY_MS = 15 * 60_000;
const GATHER_LIMIT_MS = 30_000;

export interface FactsFeedOptions {
  identity: Identity;
  intervalMs: number;
  gather: () => Promise<FactsPart>;
  offer: (facts: Facts) => void;
  clock: Clock;
  log: Log;
}

/** Facts go out whole: at the start, when they have changed, and every 6 hours. */
export class FactsFeed {
  readonly #options: FactsFeedOptions;
  #timer: TimerHandle | undefined;
  #gathering = false;
  #again = false;
  #stopped = true;
  #last: { part: FactsPart; offeredMs: number } | undefined;

  constructor(options: FactsFeedOptions) {
    this.#options = options;
  }

  start(): void {
    this.#stopped = false;
    this.look();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== undefined) this.#options.clock.clear(this.#timer);
  }

  /** Gathers anew and sends what has changed; a call during another is not lost. */
  look(): void {
    if (this.#stopped) return;
    this.#again = true;
    if (!this.#gathering) void this.#lookUntilDone();
  }

  async #lookUntilDone(): Promise<void> {
    const { clock, log } = this.#options;
    this.#gathering = true;
    if (this.#timer !== undefined) clock.clear(this.#timer);
    while (this.#again && !this.#stopped) {
      this.#again = false;
      try {
        const part = await withDeadline(this.#options.gather(), GATHER_LIMIT_MS, 'gathering the facts', clock);
        if (!this.#stopped) this.#offerIfNew(part);
      } catch (error) {
        log.warn({}, `the facts of this node can't be gathered: ${reasonOf(error)}`);
      }
    }
    this.#gathering = false;
    if (!this.#stopped) this.#timer = clock.setTimer(() => this.look(), LOOK_EVERY_MS);
  }

  #offerIfNew(part: FactsPart): void {
    const { clock, identity, intervalMs, offer } = this.#options;
    const nowMs = clock.monotonicMs();
    const due = !this.#last || nowMs - this.#last.offeredMs >= FACTS_EVERY_MS;
    if (!due && isDeepStrictEqual(part, this.#last?.part)) return;
    this.#last = { part, offeredMs: nowMs };
    offer({ ...identityOf(identity), timestamp: clock.now(), ...part, intervalMs });
  }
}
