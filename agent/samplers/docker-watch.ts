import { access } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Backoff } from '../../lib/backoff.ts';
import { type Clock, sleep } from '../../lib/clock.ts';
import { DockerChanges, StreamEnded } from './docker-changes.ts';
import { ContainerTable } from './docker-containers.ts';
import { DockerEngine, type SwarmRole, whyUnreachable } from './docker-engine.ts';

/** An engine that hangs closes no connection. */
const PING_EVERY_MS = 10_000;
/** Everything anew, for what events don't tell: a swarm that was left, and events that were missed. */
const LIST_EVERY_MS = 60_000;
/** However much goes on: a list of all is what costs the engine most. */
const LIST_AT_MOST_EVERY_MS = 1000;
/** Containers asked for at the same time: the engine locks each one for it. */
const ASKED_AT_ONCE = 4;
/** A connection that held for this long was good. */
const STEADY_MS = 10_000;
const RETRY = { baseMs: 250, maxMs: 3000 };
/** How often it is looked whether a stopped engine runs again. */
const LOOK_EVERY_MS = 1000;

export type EngineView =
  | { answers: true; version: string; swarmRole: SwarmRole; table: ContainerTable }
  | { answers: false; why: string; code?: string | undefined };

/**
 * Follows one engine: a list at the beginning and once a minute, else only what its events call changed. When it goes
 * away, says why, and takes it up again when it is back.
 */
export class DockerWatch {
  readonly socketPath: string;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #stopped = new AbortController();
  #view: EngineView;
  #seen = false;
  /** Beside the socket of a running engine there mostly is its pid file, which a clean stop removes. */
  #pidFileSeen = false;
  #firstLook: Promise<void> | undefined;
  #running: Promise<void> | undefined;

  constructor(socketPath: string, clock: Clock, random?: () => number) {
    this.socketPath = socketPath;
    this.#clock = clock;
    this.#backoff = new Backoff({ ...RETRY, ...(random && { random }) });
    this.#view = { answers: false, why: 'not looked for yet' };
  }

  /** Resolves when it is known whether the engine answers. */
  start(): Promise<void> {
    this.#firstLook ??= new Promise((resolve) => {
      this.#running = this.#run(resolve);
    });
    return this.#firstLook;
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  get view(): EngineView {
    return this.#view;
  }

  /** Whether it has answered since the start. */
  get seen(): boolean {
    return this.#seen;
  }

  async #run(looked: () => void): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      const engine = new DockerEngine(this.socketPath, this.#clock);
      const close = () => engine.close();
      signal.addEventListener('abort', close);
      try {
        await this.#follow(engine, looked);
      } catch (error) {
        // A stream alone may be closed by a proxy: whether the engine has gone, the next question tells.
        const mayBeThere = error instanceof StreamEnded && this.#view.answers;
        if (!mayBeThere) this.#lost(whyUnreachable(error, this.socketPath));
      } finally {
        engine.close();
        signal.removeEventListener('abort', close);
      }
      looked();
      await sleep(this.#clock, this.#backoff.nextDelayMs(), signal);
      await this.#untilNotStopped();
    }
    looked();
  }

  #lost({ code, sentence }: { code?: string | undefined; sentence: string }): void {
    this.#view = { answers: false, why: sentence, code };
  }

  /** Where systemd holds the socket, a mere connection would start an engine that somebody has stopped. */
  async #untilNotStopped(): Promise<void> {
    const { signal } = this.#stopped;
    while (this.#pidFileSeen && !signal.aborted && !(await this.#hasPidFile())) {
      this.#lost({ sentence: `the Docker Engine at ${this.socketPath} was stopped` });
      await sleep(this.#clock, LOOK_EVERY_MS, signal);
    }
  }

  async #hasPidFile(): Promise<boolean> {
    return access(join(dirname(this.socketPath), 'docker.pid')).then(
      () => true,
      () => false,
    );
  }

  /** Returns at the stop; throws when the engine no longer answers. */
  async #follow(engine: DockerEngine, looked: () => void): Promise<void> {
    const startedMs = this.#clock.monotonicMs();
    // Events first: what happens while the list is made is asked for afterwards.
    const changes = new DockerChanges(await engine.events(), this.#clock);
    const table = new ContainerTable();
    try {
      await this.#takeAll(engine, table);
      this.#pidFileSeen = await this.#hasPidFile();
      this.#seen = true;
      looked();
      await this.#keepUp(engine, table, changes);
    } finally {
      changes.close();
      if (this.#clock.monotonicMs() - startedMs > STEADY_MS) this.#backoff.reset();
    }
  }

  async #keepUp(engine: DockerEngine, table: ContainerTable, changes: DockerChanges): Promise<void> {
    const { signal } = this.#stopped;
    let listedMs = this.#clock.monotonicMs();
    while (!signal.aborted) {
      await changes.wait(PING_EVERY_MS, signal);
      if (signal.aborted) return;
      const { ids, gone, everything } = changes.take();
      for (const id of gone) table.remove(id);
      if (everything || this.#clock.monotonicMs() - listedMs >= LIST_EVERY_MS) {
        const earlyMs = listedMs + LIST_AT_MOST_EVERY_MS - this.#clock.monotonicMs();
        if (earlyMs > 0) await sleep(this.#clock, earlyMs, signal);
        await this.#takeAll(engine, table);
        listedMs = this.#clock.monotonicMs();
      } else if (ids.length > 0) {
        if (!(await takeEach(engine, table, ids))) changes.wantEverything();
      } else if (gone.length === 0) {
        await engine.ping();
      }
    }
  }

  async #takeAll(engine: DockerEngine, table: ContainerTable): Promise<void> {
    const info = await engine.info();
    await takeEach(engine, table, table.takeList(await engine.list()));
    this.#view = { answers: true, ...info, table };
  }
}

/** Returns false where the table has no room. */
async function takeEach(engine: DockerEngine, table: ContainerTable, ids: string[]): Promise<boolean> {
  const waiting = [...ids];
  let fits = true;
  const work = async () => {
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
      const inspected = await engine.inspect(id);
      if (!inspected) table.remove(id);
      else if (!table.put(inspected)) fits = false;
    }
  };
  await Promise.all(Array.from({ length: Math.min(ASKED_AT_ONCE, ids.length) }, work));
  return fits;
}
