import type { Clock, TimerHandle } from '../../lib/clock.ts';

interface Timer {
  id: number;
  atMs: number;
  callback: () => void;
}

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  #wallMs: number;
  #monotonicMs: number;
  #timers: Timer[] = [];
  #nextId = 1;

  constructor(startWallMs = Date.UTC(2026, 0, 1), startMonotonicMs = 7_250) {
    this.#wallMs = startWallMs;
    this.#monotonicMs = startMonotonicMs;
  }

  now(): number {
    return Math.round(this.#wallMs);
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  setTimer(callback: () => void, delayMs: number): TimerHandle {
    const id = this.#nextId++;
    this.#timers.push({ id, atMs: this.#monotonicMs + Math.max(0, delayMs), callback });
    return id;
  }

  clear(handle: TimerHandle): void {
    this.#timers = this.#timers.filter(({ id }) => id !== handle);
  }

  /** Timers that wait to be fired: a stopped part leaves none. */
  get waitingTimers(): number {
    return this.#timers.length;
  }

  /** Moves both clocks on, fires what falls due in order of its time, and lets promises settle after each. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#monotonicMs + ms;
    await settle();
    for (let due = this.#firstUntil(endMs); due; due = this.#firstUntil(endMs)) {
      this.clear(due.id);
      this.#moveTo(Math.max(this.#monotonicMs, due.atMs));
      due.callback();
      await settle();
    }
    this.#moveTo(endMs);
    await settle();
  }

  /** Steps wall time alone, as a time source or a hand does; may be negative. */
  jumpWall(ms: number): void {
    this.#wallMs += ms;
  }

  /** Time passes without a single timer being fired, as when the process or the machine was suspended. */
  sleepThrough(ms: number): void {
    this.#moveTo(this.#monotonicMs + ms);
  }

  #moveTo(monotonicMs: number): void {
    this.#wallMs += monotonicMs - this.#monotonicMs;
    this.#monotonicMs = monotonicMs;
  }

  #firstUntil(endMs: number): Timer | undefined {
    return this.#timers.filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs || a.id - b.id)[0];
  }
}

/** A few turns of the event loop: enough for chains of promises and immediates; file access may need more. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}
