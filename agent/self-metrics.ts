import type { Clock } from '../lib/clock.ts';
import type { Report } from '../telemetry/report.ts';
import type { SamplerStatus } from './sampler-runner.ts';

/** Asking the system for the memory of a process is not free; what changes this slowly need not be asked at 1 Hz. */
const PERIOD_MS = 10_000;

export type SelfMetrics = NonNullable<Report['self']>;

/** What the agent itself costs, and how its samplers are. */
export class SelfMeter {
  readonly #clock: Clock;
  readonly #statuses: () => Record<string, SamplerStatus>;
  #last: { metrics: SelfMetrics; atMs: number; sampledAt: number } | undefined;

  constructor(clock: Clock, statuses: () => Record<string, SamplerStatus>) {
    this.#clock = clock;
    this.#statuses = statuses;
  }

  current(): SelfMetrics {
    const nowMs = this.#clock.monotonicMs();
    if (this.#last && nowMs - this.#last.atMs < PERIOD_MS) {
      return { sampledAt: this.#last.sampledAt, ...this.#last.metrics };
    }
    const { user, system } = process.cpuUsage();
    const metrics: SelfMetrics = {
      cpuSeconds: (user + system) / 1e6,
      residentBytes: process.memoryUsage.rss(),
      samplers: this.#statuses(),
    };
    this.#last = { metrics, atMs: nowMs, sampledAt: this.#clock.now() };
    return metrics;
  }
}
