import type { StoreReader } from '../../collector/store/port.ts';
import { type Clock, sleep } from '../../lib/clock.ts';
import { withDeadline } from '../../lib/deadline.ts';
import { reasonOf } from '../../lib/errors.ts';
import type { PipelineStatus } from '../../telemetry/status.ts';
import type { LiveState } from './live-state.ts';

type StoreStatus = PipelineStatus['store'];

/** What of a store's read port the live page needs. */
export type WatchedReader = Pick<StoreReader, 'clusters' | 'latest' | 'facts'> & {
  readonly kind?: StoreStatus['kind'];
};

const ASK_EVERY_MS = 5000;
/** A store that is back is shown as back soon. */
const ASK_AGAIN_MS = 1000;
const ASK_LIMIT_MS = 3000;

/** Asks the store for what is newest: the first answer paints the first picture, later ones tell that it is there. */
export class StoreWatch {
  readonly #reader: WatchedReader;
  readonly #state: LiveState;
  readonly #clock: Clock;
  #status: StoreStatus;

  constructor(reader: WatchedReader, state: LiveState, clock: Clock) {
    this.#reader = reader;
    this.#state = state;
    this.#clock = clock;
    this.#status = { kind: reader.kind ?? 'sqlite', reachable: false, problem: 'not asked yet' };
  }

  get status(): StoreStatus {
    return this.#status;
  }

  /** Goes on until the signal is aborted; never rejects. */
  async watch(signal: AbortSignal): Promise<void> {
    const { kind } = this.#status;
    while (!signal.aborted) {
      try {
        await withDeadline(this.#read(), ASK_LIMIT_MS, 'asking the store', this.#clock);
        this.#status = { kind, reachable: true };
      } catch (error) {
        this.#status = { kind, reachable: false, problem: reasonOf(error) };
      }
      await sleep(this.#clock, this.#status.reachable ? ASK_EVERY_MS : ASK_AGAIN_MS, signal);
    }
  }

  async #read(): Promise<void> {
    const clusterId = this.#state.clusterId ?? (await this.#reader.clusters())[0];
    if (clusterId === undefined) return;
    const [latest, facts] = await Promise.all([this.#reader.latest(clusterId), this.#reader.facts(clusterId)]);
    for (const report of latest) this.#state.seed(report);
    for (const { facts: known, appendedAt } of facts) this.#state.acceptFacts(known, appendedAt);
  }
}
