import { roundTo } from '../../lib/round.ts';
import type { ReportPart } from '../sampler.ts';

/** Time that one processor, or all together, has spent since boot, in any unit. */
export interface CpuTimes {
  busy: number;
  total: number;
}

export interface CpuSnapshot {
  all: CpuTimes;
  /** By the kernel's number; an offline core is not in it. */
  cores: Map<number, CpuTimes>;
}

/** The kernel counts in 10 ms steps: over less than ten of them a ratio is noise. */
const LEAST_STEPS = 10;

/**
 * Usage between successive snapshots. Two that are too close together give the ratios of the last pair again, so that a
 * short interval never shows noise.
 */
export class CpuUsage {
  readonly #leastTotal: number;
  #previous: CpuSnapshot | undefined;
  #last: ReportPart['cpu'];

  /** `stepsPerUnit`: 1 for /proc/stat (10 ms), 0.1 for milliseconds. */
  constructor(stepsPerUnit: number) {
    this.#leastTotal = LEAST_STEPS / stepsPerUnit;
  }

  /** Makes `snapshot` the first one, if there is none yet. */
  begin(snapshot: CpuSnapshot): void {
    this.#previous ??= snapshot;
  }

  next(snapshot: CpuSnapshot): ReportPart['cpu'] {
    const previous = this.#previous;
    if (!previous) {
      this.#previous = snapshot;
      return undefined;
    }
    const perCore = (snapshot.all.total - previous.all.total) / Math.max(1, snapshot.cores.size);
    if (perCore >= 0 && perCore < this.#leastTotal) return this.#last;
    this.#previous = snapshot;
    const usageRatio = usage(previous.all, snapshot.all);
    if (usageRatio === undefined) return undefined;
    const coreUsageRatios: number[] = [];
    for (const [core, times] of snapshot.cores) {
      const before = previous.cores.get(core);
      const ratio = before && usage(before, times);
      if (ratio !== undefined) coreUsageRatios.push(ratio);
    }
    this.#last = { usageRatio, ...(coreUsageRatios.length > 0 ? { coreUsageRatios } : {}) };
    return this.#last;
  }
}

/** Undefined when the counters ran backwards, as they do after a core was offline. */
function usage(before: CpuTimes, after: CpuTimes): number | undefined {
  const total = after.total - before.total;
  if (total <= 0) return undefined;
  const ratio = Math.min(1, Math.max(0, (after.busy - before.busy) / total));
  return roundTo(ratio, 4);
}
