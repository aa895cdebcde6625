import { Backoff } from '../lib/backoff.ts';
import { type Clock, sleep, type TimerHandle } from '../lib/clock.ts';
import { ErichtError } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import { type ConsumerHandlers, ConsumerRun, type ConsumerRunOptions } from './consumer-run.ts';
import type { KafkaSettings } from './types.ts';

export type { ConsumerHandlers } from './consumer-run.ts';

export interface WatchedConsumerOptions {
  settings: KafkaSettings;
  groupId: string;
  topics: string[];
  clock: Clock;
  log: Log;
  handlers: ConsumerHandlers;
  /**
   * The broker gives the partitions away when it hears nothing for this long, and the successor of a process that was
   * killed waits as long for them. Default 10 s: heartbeats go on while a batch is held, so it need not be longer.
   */
  sessionTimeoutMs?: number;
  /** A consumer that neither fetches nor sends heartbeats for this long is rebuilt. Default 60 s. */
  muteAfterMs?: number;
  startAt?: ConsumerRunOptions['startAt'];
  onPosition?: ConsumerRunOptions['onPosition'];
}

export interface ConsumerStatus {
  /** `rebuilding` means: not in the group, at the start or after a failure. */
  state: 'running' | 'rebuilding' | 'stopped';
  /** How often a kafkajs consumer was replaced by a new one. */
  rebuilds: number;
  /** Why it is not running, or why it last was not. */
  lastError?: ErichtError;
  /** When the group was last joined, epoch milliseconds. */
  joinedAt?: number;
}

/** A life that lasted this long was healthy: what ends it later starts with short delays again. */
const HEALTHY_MS = 30_000;
/** A consumer that is quiet for this long is talked of, though kafkajs may still heal it. */
const QUIET_MS = 6_000;
const MIN_DELAY_MS = 100;
/** More than the 60 s that a group takes at most to gather its members. */
const JOIN_LIMIT_MS = 90_000;

/**
 * A consumer that goes on whatever happens: Kafka away at the start, rights missing, a crash that kafkajs does not
 * restart, or one that went mute. It replaces kafkajs's consumer each time, with a backoff, and starts at the committed
 * offsets. A batch that is held keeps its partition waiting and nothing else: fetches of the others and heartbeats go
 * on, so held time never counts as mute.
 *
 * Delivery is at least once. After a rebalance a batch can come to two consumers; a commit through an assignment that
 * is gone does nothing.
 */
export class WatchedConsumer {
  readonly name = 'Kafka consumer';
  readonly #options: WatchedConsumerOptions;
  readonly #muteAfterMs: number;
  readonly #stopped = new AbortController();
  readonly #backoff = new Backoff({ baseMs: 500, maxMs: 10_000 });
  #run: ConsumerRun | undefined;
  #loop: Promise<void> | undefined;
  #watch: TimerHandle | undefined;
  #watchedAtMs = 0;
  #state: ConsumerStatus['state'] = 'rebuilding';
  #rebuilds = 0;
  #lastError: ErichtError | undefined;
  #joinedAt: number | undefined;
  #saidFailure: string | undefined;
  #rebuildNow: AbortController | undefined;
  #formerMember: string | undefined;

  constructor(options: WatchedConsumerOptions) {
    this.#options = options;
    this.#muteAfterMs = options.muteAfterMs ?? 60_000;
  }

  /** Resolves at once: joining happens beside, for as long as it takes. */
  async start(): Promise<void> {
    if (this.#loop || this.#stopped.signal.aborted) return;
    this.#loop = this.#live();
    this.#watchedAtMs = this.#options.clock.monotonicMs();
    this.#scheduleWatch();
  }

  /** Leaves the group, so that others take over at once. Idempotent; done within about 3 s even if Kafka is frozen. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    if (this.#watch !== undefined) this.#options.clock.clear(this.#watch);
    this.#run?.end();
    await this.#loop;
    this.#state = 'stopped';
  }

  status(): ConsumerStatus {
    return {
      state: this.#state,
      rebuilds: this.#rebuilds,
      ...(this.#lastError && { lastError: this.#lastError }),
      ...(this.#joinedAt !== undefined && { joinedAt: this.#joinedAt }),
    };
  }

  /** Replaces kafkajs's consumer now. Needed after a step of the wall clock, which stops kafkajs's heartbeats. */
  rebuild(reason: string): void {
    if (this.#state === 'stopped' || this.#stopped.signal.aborted) return;
    this.#options.log.info({ groupId: this.#options.groupId }, `the Kafka consumer is rebuilt: ${reason}`);
    this.#rebuildNow?.abort();
    this.#run?.end();
  }

  /** Whether every assigned partition's leader answers fetches at present. */
  readable(): boolean {
    return this.#run?.readable() ?? false;
  }

  /** How many fetches in a row came back empty from every leader: more than one means that the end was reached. */
  idleFetches(): number {
    return this.#run?.idleFetches() ?? 0;
  }

  async #live(): Promise<void> {
    const { clock } = this.#options;
    while (!this.#stopped.signal.aborted) {
      const run = this.#newRun();
      this.#run = run;
      void run.start();
      const reason = await run.ended;
      this.#state = 'rebuilding';
      const livedMs = run.joinedAtMs === undefined ? 0 : clock.monotonicMs() - run.joinedAtMs;
      await run.close();
      this.#formerMember = run.memberId ?? this.#formerMember;
      if (this.#stopped.signal.aborted) break;
      this.#rebuilds += 1;
      if (!reason) continue;
      this.#say(reason);
      if (livedMs >= HEALTHY_MS) this.#backoff.reset();
      this.#rebuildNow = new AbortController();
      const wake = AbortSignal.any([this.#stopped.signal, this.#rebuildNow.signal]);
      await sleep(clock, MIN_DELAY_MS + this.#backoff.nextDelayMs(), wake);
    }
    this.#run = undefined;
  }

  #newRun(): ConsumerRun {
    const { settings, groupId, topics, clock, log, handlers, startAt, onPosition } = this.#options;
    const sessionTimeoutMs = this.#options.sessionTimeoutMs ?? 10_000;
    const shared = { settings, groupId, topics, clock, log, handlers, sessionTimeoutMs, startAt, onPosition };
    const formerMember = this.#formerMember;
    const run: ConsumerRun = new ConsumerRun({ ...shared, formerMember, onJoined: () => this.#joined(run) });
    return run;
  }

  #joined(run: ConsumerRun): void {
    if (run !== this.#run) return;
    this.#state = 'running';
    this.#joinedAt = this.#options.clock.now();
    this.#formerMember = undefined;
    this.#sayHealed();
  }

  #sayHealed(): void {
    if (this.#saidFailure === undefined) return;
    this.#saidFailure = undefined;
    this.#options.log.info({ groupId: this.#options.groupId }, 'the Kafka consumer reads again');
  }

  /** Says a failure once, not at each attempt. */
  #say(reason: ErichtError): void {
    this.#lastError = reason;
    const failure = `${reason.code} ${reason.what}`;
    if (failure === this.#saidFailure) return;
    this.#saidFailure = failure;
    this.#options.log.warn({ code: reason.code, groupId: this.#options.groupId }, reason.message);
  }

  #scheduleWatch(): void {
    const everyMs = Math.max(100, Math.min(5000, this.#muteAfterMs / 6));
    this.#watch = this.#options.clock.setTimer(() => {
      this.#look(everyMs);
      if (!this.#stopped.signal.aborted) this.#scheduleWatch();
    }, everyMs);
  }

  #look(everyMs: number): void {
    const now = this.#options.clock.monotonicMs();
    const wasAway = now - this.#watchedAtMs > everyMs * 3;
    this.#watchedAtMs = now;
    const run = this.#run;
    const lastMs = run?.lastSignOfLifeMs;
    // A process that was itself stopped for a while comes back with old marks and a consumer that may be well.
    if (wasAway || !run) return;
    if (lastMs === undefined) {
      if (now - (run.startedAtMs ?? now) < Math.max(JOIN_LIMIT_MS, this.#muteAfterMs)) return;
      run.end(this.#mute(`the group was not joined within ${JOIN_LIMIT_MS / 1000} s`));
      return;
    }
    const quietMs = now - lastMs;
    if (quietMs < Math.min(QUIET_MS, this.#muteAfterMs)) {
      if (this.#state === 'running') this.#sayHealed();
      return;
    }
    const mute = this.#mute(`no fetch or heartbeat was answered for ${Math.round(quietMs / 1000)} s`);
    if (quietMs >= this.#muteAfterMs) run.end(mute);
    else this.#say(mute);
  }

  #mute(why: string): ErichtError {
    const { topics, groupId } = this.#options;
    return new ErichtError('KAFKA_UNREACHABLE', { what: `cannot read ${topics.join(', ')} as group ${groupId}`, why });
  }
}
