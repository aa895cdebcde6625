import { type Clock, sleep } from '../lib/clock.ts';
import { withDeadline } from '../lib/deadline.ts';
import { reasonOf } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import type { Finding, ReportPart, Sampler } from './sampler.ts';
import { SamplerRunner, type SamplerStatus } from './sampler-runner.ts';

/** A report waits this part of its interval for the readings that were begun for it, and never longer than this. */
const WAIT_PART = 0.25;
const WAIT_AT_MOST_MS = 250;

/** How long a start waits for the samplers to look around: reports begin then, with what was found. */
const FIRST_LOOK_MS = 1000;
const STOP_LIMIT_MS = 300;

export interface SamplingOptions {
  samplers: Sampler[];
  intervalMs: number;
  clock: Clock;
  log: Log;
  /** Something was found that was absent, or the other way round. */
  findingsChanged?: () => void;
}

/** All samplers together. What one of them does or fails to do never holds up the others, nor the report. */
export class Sampling {
  readonly #runners: SamplerRunner[];
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #waitMs: number;
  readonly #findingsChanged: () => void;
  /** Ends the wait that is under way. */
  #waiting = new AbortController();
  #stopped = false;
  #round = 0;

  constructor({ samplers, intervalMs, clock, log, findingsChanged = () => {} }: SamplingOptions) {
    this.#runners = samplers.map((sampler) => new SamplerRunner(sampler, intervalMs, clock));
    this.#clock = clock;
    this.#log = log;
    this.#waitMs = Math.min(WAIT_AT_MOST_MS, intervalMs * WAIT_PART);
    this.#findingsChanged = findingsChanged;
  }

  /** Looks what there is to read; resolves when all have answered, or after a moment. */
  async start(limitMs = FIRST_LOOK_MS): Promise<void> {
    const looks = Promise.all(this.#runners.map((runner) => runner.lookIfDue()));
    await this.#waitFor(looks, limitMs);
    const missing = this.#runners.filter((runner) => !runner.finding.found);
    void looks.then(() => {
      if (missing.some((runner) => runner.finding.found)) this.#findingsChanged();
    });
  }

  /**
   * Begins the readings that are due. Resolves when those that are usually quick have ended, or after the wait; what
   * ends later is in the next report.
   */
  async round(): Promise<void> {
    this.#lookAgain();
    this.#round += 1;
    const due = this.#runners.filter((runner) => runner.isDue());
    const quick = due.filter((runner) => runner.isWorthWaitingFor);
    const readings = new Map(due.map((runner) => [runner, runner.read(this.#round, this.#waitMs)]));
    if (quick.length === 0) return;
    await this.#waitFor(Promise.all(quick.map((runner) => readings.get(runner))), this.#waitMs);
  }

  /** Reads everything once and waits for all of it, up to the samplers' own timeouts. */
  async readAll(): Promise<void> {
    this.#round += 1;
    const found = this.#runners.filter((runner) => runner.finding.found);
    await Promise.all(found.map((runner) => runner.read(this.#round, this.#waitMs)));
  }

  /** What the report of this round says; a value of an earlier round carries the time of its reading. */
  parts(): ReportPart {
    const merged: Record<string, unknown> = {};
    for (const runner of this.#runners) {
      const reading = runner.current(this.#round);
      if (!reading) continue;
      for (const [key, value] of Object.entries(reading.part)) {
        const told = reading.fresh ? value : withSampledAt(value, reading.sampledAt);
        // Rails may come from several sources: chips, and the battery of a laptop.
        merged[key] =
          Array.isArray(told) && Array.isArray(merged[key]) ? [...(merged[key] as unknown[]), ...told] : told;
      }
    }
    return merged as ReportPart;
  }

  findings(): Finding[] {
    return this.#runners.map((runner) => runner.finding);
  }

  statuses(): Record<string, SamplerStatus> {
    const statuses: Record<string, SamplerStatus> = {};
    for (const runner of this.#runners) if (runner.status) statuses[runner.name] = runner.status;
    return statuses;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#waiting.abort();
    await Promise.all(
      this.#runners.map(async (runner) => {
        try {
          const limitMs = runner.stopWithinMs ?? STOP_LIMIT_MS;
          await withDeadline(runner.stop(), limitMs, `stopping the sampler ${runner.name}`, this.#clock);
        } catch (error) {
          this.#log.debug({ sampler: runner.name }, reasonOf(error));
        }
      }),
    );
  }

  /** Resolves when the work is done, after the limit, or at the stop; leaves no timer behind. */
  async #waitFor(work: Promise<unknown>, limitMs: number): Promise<void> {
    if (this.#stopped) return;
    const waiting = new AbortController();
    this.#waiting = waiting;
    await Promise.race([work, sleep(this.#clock, limitMs, waiting.signal)]);
    waiting.abort();
  }

  #lookAgain(): void {
    for (const runner of this.#runners) {
      const before = runner.finding;
      void runner.lookIfDue().then(() => {
        const { found, detail } = runner.finding;
        if (found !== before.found || detail !== before.detail) this.#findingsChanged();
      });
    }
  }
}

function withSampledAt(value: unknown, sampledAt: number): unknown {
  if (Array.isArray(value)) return value.map((element) => withSampledAt(element, sampledAt));
  return { sampledAt, ...(value as object) };
}
