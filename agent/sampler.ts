import type { Clock } from '../lib/clock.ts';
import type { Facts } from '../telemetry/facts.ts';
import type { Report } from '../telemetry/report.ts';

/** What a sampler may need of its surroundings; file roots are settings so that a container can read its host. */
export interface SamplerSurroundings {
  clock: Clock;
  /** Default /proc. */
  procfs: string;
  /** Default /sys. */
  sysfs: string;
  /** Default /dev. */
  dev: string;
}

/** The part of a report that samplers fill; each owns the keys that it returns. */
export type ReportPart = Partial<
  Pick<Report, 'cpu' | 'load' | 'memory' | 'temperature' | 'rails' | 'storage' | 'network' | 'docker' | 'throttling'>
>;

/** What a sampler knows of the board that changes rarely. */
export type SamplerFacts = Partial<Pick<Facts, 'rails' | 'versions'>>;

export interface Finding {
  subject: string;
  found: boolean;
  /** What was found, or why it is absent: one short sentence for a person. */
  detail: string;
}

/**
 * One source of readings. "Absent" is not "failed": a sampler whose hardware isn't there says so in find() and is not
 * asked again until the next look; one that throws is counted and tried again.
 */
export interface Sampler {
  readonly name: string;
  /** How often it is read; a report repeats its last value, with sampledAt, for at most two of these. */
  readonly periodMs: number;
  /** A reading that takes longer is given up and counted. */
  readonly timeoutMs: number;
  /** Looks whether there is anything to read here; may be called at any time, beside sample(), too. Never rejects. */
  find(): Promise<Finding>;
  /** Whether what the last find() told no longer holds: it is asked again at the next round. */
  hasNews?(): boolean;
  /** One reading. `signal` is aborted at the timeout. */
  sample(signal: AbortSignal): Promise<ReportPart>;
  /** As far as the last find() told. */
  facts?(): SamplerFacts;
  /** What its stop may take where that is more than a moment: it writes to a disk. */
  readonly stopWithinMs?: number;
  stop?(): Promise<void>;
}
