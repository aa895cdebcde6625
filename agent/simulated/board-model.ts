import type { SimulatedProfile } from './boards.ts';
import { seeded, seededBetween } from './seeded.ts';

const AMBIENT_CELSIUS = 24;
/** A burst of work begins in some of these slots. */
const BURST_SLOT_SECONDS = 45;
const BURST_SHARE = 0.3;
/** The heat sink follows the load over about this many seconds. */
const HEAT_SINK_SECONDS = 60;
const HEAT_STEPS = 6;

/**
 * How one board behaves, as a function of the seconds since it began: nothing is stored, so that the same seed and time
 * always give the same values, in whatever order they are asked for.
 */
export class BoardModel {
  readonly #profile: SimulatedProfile;
  readonly #seed: number;
  readonly #base: number;

  constructor(profile: SimulatedProfile, seed: number) {
    this.#profile = profile;
    this.#seed = seed;
    this.#base = seededBetween(0.1, 0.28, seed, 1);
  }

  /** Share of all cores in use, 0.02 to 0.97. */
  usage(seconds: number): number {
    const slow = 0.06 * this.#wave(seconds, 900, 1500, 2);
    const middle = 0.05 * this.#wave(seconds, 120, 300, 3);
    const fast = 0.025 * this.#wave(seconds, 11, 29, 4);
    const jitter = seededBetween(-0.012, 0.012, this.#seed, 5, Math.floor(seconds));
    return clamp(this.#base + slow + middle + fast + jitter + this.#burst(seconds), 0.02, 0.97);
  }

  coreUsage(core: number, seconds: number): number {
    const uneven = 0.12 * this.#wave(seconds, 17, 53, 6, core);
    return clamp(this.usage(seconds) * (1 + uneven), 0, 1);
  }

  watts(seconds: number): number {
    const { idleWatts, fullWatts } = this.#profile;
    const noise = seededBetween(-0.03, 0.03, this.#seed, 7, Math.floor(seconds * 4));
    return idleWatts + (fullWatts - idleWatts) * this.usage(seconds) ** 0.9 + noise;
  }

  temperatureCelsius(seconds: number): number {
    const { idleRiseCelsius, fullRiseCelsius } = this.#profile;
    return AMBIENT_CELSIUS + idleRiseCelsius + (fullRiseCelsius - idleRiseCelsius) * this.#meanUsage(seconds, 1);
  }

  /** Runnable processes, averaged over some minutes. */
  loadAverage(seconds: number, minutes: number): number {
    return this.#profile.cores * this.#meanUsage(seconds, minutes) * 1.1;
  }

  memoryUsedRatio(seconds: number): number {
    return clamp(0.42 + this.#base + 0.04 * this.#wave(seconds, 400, 800, 8), 0.1, 0.95);
  }

  /** A counter that rises at `bytesPerSecond` on average and never falls. */
  transferredBytes(seconds: number, bytesPerSecond: number, direction: number): number {
    const period = seededBetween(60, 180, this.#seed, 9, direction);
    const phase = (2 * Math.PI * seconds) / period;
    // The integral of rate × (1 + 0.8 sin): the rate stays above 0.
    const swing = (0.8 * period * (1 - Math.cos(phase))) / (2 * Math.PI);
    return Math.floor(seededBetween(1e8, 9e9, this.#seed, 10, direction) + bytesPerSecond * (seconds + swing));
  }

  #burst(seconds: number): number {
    const slot = Math.floor(seconds / BURST_SLOT_SECONDS);
    if (seeded(this.#seed, 11, slot) > BURST_SHARE) return 0;
    const height = seededBetween(0.2, 0.6, this.#seed, 12, slot);
    return height * Math.sin((Math.PI * (seconds - slot * BURST_SLOT_SECONDS)) / BURST_SLOT_SECONDS) ** 2;
  }

  #meanUsage(seconds: number, minutes: number): number {
    let sum = 0;
    for (let step = 0; step < HEAT_STEPS; step += 1) {
      sum += this.usage(Math.max(0, seconds - (step * HEAT_SINK_SECONDS * minutes) / HEAT_STEPS));
    }
    return sum / HEAT_STEPS;
  }

  /** A sine from -1 to 1 whose period lies between two numbers of seconds. */
  #wave(seconds: number, shortest: number, longest: number, ...path: number[]): number {
    const period = seededBetween(shortest, longest, this.#seed, ...path, 0);
    return Math.sin(2 * Math.PI * (seconds / period + seeded(this.#seed, ...path, 1)));
  }
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
