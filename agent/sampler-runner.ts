import type { Clock } from '../lib/clock.ts';
import { withDeadline } from '../lib/deadline.ts';
import { reasonOf } from '../lib/errors.ts';
import { roundTo } from '../lib/round.ts';
import type { Finding, ReportPart, Sampler } from './sampler.ts';

/** What was absent may be plugged in, started or given the right meanwhile. */
const FIND_AGAIN_MS = 60_000;
const FIND_TIMEOUT_MS = 10_000;

/** After so many failures in a row it is asked whether there still is anything to read. */
const FAILURES_UNTIL_FIND = 5;

/** A value is repeated until it is this many periods old. */
const KEPT_PERIODS = 2;

/** As in report.self.samplers. */
export type SamplerStatus = {
  durationMs: number;
  failures: number;
  problem?: string;
};

/** A reading and whether it was made in the round that asks. */
export interface CurrentReading {
  part: ReportPart;
  sampledAt: number;
  fresh: boolean;
}

/**
 * Runs one sampler: one reading at a time, each given up at its timeout. A reading that never ends is not begun a
 * second time, so that a hung device can't fill the memory.
 */
export class SamplerRunner {
  readonly #sampler: Sampler;
  readonly #clock: Clock;
  readonly #periodMs: number;
  readonly #intervalMs: number;
  #finding: Finding;
  #findAt = Number.NEGATIVE_INFINITY;
  #isFinding = false;
  #reading = false;
  #startedMs = Number.NEGATIVE_INFINITY;
  #value: { part: ReportPart; startedMs: number; sampledAt: number; round: number } | undefined;
  #durationMs = 0;
  #failures = 0;
  #failuresInARow = 0;
  #problem: string | undefined;
  /** Its last reading came too late for the round that began it. */
  #tooSlowToWaitFor = false;

  constructor(sampler: Sampler, intervalMs: number, clock: Clock) {
    this.#sampler = sampler;
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#periodMs = Math.max(sampler.periodMs, intervalMs);
    this.#finding = { subject: sampler.name, found: false, detail: 'not looked for yet' };
  }

  get name(): string {
    return this.#sampler.name;
  }

  get finding(): Finding {
    return this.#finding;
  }

  /** Undefined for what is absent: that is not a failure. */
  get status(): SamplerStatus | undefined {
    if (!this.#finding.found) return undefined;
    const status: SamplerStatus = { durationMs: this.#durationMs, failures: this.#failures };
    if (this.#problem) status.problem = this.#problem.slice(0, 255);
    return status;
  }

  /** Looks whether there is anything to read: once a minute where that is doubtful, and when the sampler has news. */
  async lookIfDue(): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    const doubtful = !this.#finding.found || this.#failuresInARow >= FAILURES_UNTIL_FIND;
    const isDue = doubtful && nowMs - this.#findAt >= FIND_AGAIN_MS;
    if (this.#isFinding || !(isDue || this.#sampler.hasNews?.())) return;
    this.#findAt = nowMs;
    this.#isFinding = true;
    try {
      const look = Promise.resolve().then(() => this.#sampler.find());
      // Late answers still count: a slow bus is better found late than never. Until then no second search is begun.
      void look
        .then((finding) => this.#note(finding))
        .catch(() => {})
        .finally(() => {
          this.#isFinding = false;
        });
      await withDeadline(look, FIND_TIMEOUT_MS, `looking for ${this.name}`, this.#clock);
    } catch (error) {
      this.#note({ subject: this.#finding.subject, found: false, detail: reasonOf(error) });
    }
  }

  isDue(): boolean {
    if (!this.#finding.found || this.#reading) return false;
    // Half an interval of slack: it runs at the tick that is nearest to its period.
    return this.#clock.monotonicMs() - this.#startedMs >= this.#periodMs - this.#intervalMs / 2;
  }

  /** Whether a report should wait a moment for it: not if the last reading was slow, until one is quick again. */
  get isWorthWaitingFor(): boolean {
    return !this.#tooSlowToWaitFor;
  }

  /** One reading; never rejects. Resolves at the latest at its timeout. */
  async read(round: number, quickMs: number): Promise<void> {
    const startedMs = this.#clock.monotonicMs();
    const sampledAt = this.#clock.now();
    const abort = new AbortController();
    this.#reading = true;
    this.#startedMs = startedMs;
    const reading = Promise.resolve().then(() => this.#sampler.sample(abort.signal));
    const ended = () => {
      this.#reading = false;
    };
    reading.then(ended, ended);
    try {
      const what = `reading ${this.name} was given up`;
      const part = await withDeadline(reading, this.#sampler.timeoutMs, what, this.#clock);
      this.#value = { part, startedMs, sampledAt, round };
      this.#failuresInARow = 0;
      this.#problem = undefined;
    } catch (error) {
      abort.abort();
      // "Absent means failed": the last value would look as if it still held.
      this.#value = undefined;
      this.#failures += 1;
      this.#failuresInARow += 1;
      this.#problem = reasonOf(error);
    }
    this.#durationMs = roundTo(this.#clock.monotonicMs() - startedMs, 3);
    this.#tooSlowToWaitFor = this.#durationMs > quickMs;
  }

  /** The last reading, as long as it is young enough to be published. */
  current(round: number): CurrentReading | undefined {
    const value = this.#value;
    if (!value || this.#clock.monotonicMs() - value.startedMs > KEPT_PERIODS * this.#periodMs) return undefined;
    return { part: value.part, sampledAt: value.sampledAt, fresh: value.round === round };
  }

  get stopWithinMs(): number | undefined {
    return this.#sampler.stopWithinMs;
  }

  async stop(): Promise<void> {
    await this.#sampler.stop?.();
  }

  #note(finding: Finding): void {
    if (!finding.found) this.#value = undefined;
    if (finding.found && !this.#finding.found) this.#failuresInARow = 0;
    this.#finding = finding;
  }
}
