import { EnergyCounter } from '../../hardware/energy.ts';
import type { RailFinding, RailReader, RailReading } from '../../hardware/rail-reader.ts';
import { Backoff } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import { withDeadline } from '../../lib/deadline.ts';
import { ErichtError, reasonOf } from '../../lib/errors.ts';
import { roundTo } from '../../lib/round.ts';
import type { Rail } from '../../telemetry/report.ts';
import type { EnergyTotals } from '../kept-energy.ts';
import type { Finding, ReportPart, Sampler, SamplerFacts } from '../sampler.ts';

const MOST_RAILS = 16;

/** A driver may take a chip over while it is read here, let it go again, or come with one more. */
const LOOK_AGAIN_MS = 60_000;

/** However long the interval, a bus that hangs is given up well before the search for all rails would be. */
const LONGEST_TIMEOUT_MS = 10_000;

/** Reports don't wait longer for what was kept; it is added when it comes. */
const RESTORE_WITHIN_MS = 500;
/** A sync to an SD card takes its time. */
const STOP_WITHIN_MS = 2000;

/** Where the readers come from: the board's RailFinder. */
export interface RailSource {
  look(): Promise<RailReader[]>;
  whyNone(): Promise<string>;
  close(): Promise<void>;
}

/** Carries joules over a restart. */
export interface RailEnergyKeeper {
  open(): Promise<EnergyTotals>;
  note(totals: () => EnergyTotals): void;
  close(totals: EnergyTotals): Promise<void>;
}

export interface RailsOptions {
  source: RailSource;
  intervalMs: number;
  clock: Clock;
  /** Absent where nothing is kept. */
  keeper?: RailEnergyKeeper | undefined;
}

/** All that belongs to one label over the run, whichever way in its reader has. */
interface RailState {
  reader: RailReader;
  energy: EnergyCounter;
  retry: Backoff;
  /** Why it isn't read at present; it is looked for again at `retryAtMs`. */
  absent: string | undefined;
  retryAtMs: number;
  /** A transfer that outlived its time; no second one is begun beside it. */
  pending: boolean;
}

/** Volts, amperes, watts and joules of all rails. One that fails is absent with its reason; the others go on. */
export class RailsSampler implements Sampler {
  readonly name = 'rails';
  readonly periodMs: number;
  readonly timeoutMs: number;
  readonly stopWithinMs = STOP_WITHIN_MS;
  readonly #source: RailSource;
  readonly #keeper: RailEnergyKeeper | undefined;
  readonly #clock: Clock;
  readonly #railWithinMs: number;
  /** By label, over the whole run: a rail that goes and comes back counts on. */
  readonly #known = new Map<string, RailState>();
  #rails: RailState[] = [];
  #search: Promise<Finding> | undefined;
  #lookedAtMs = 0;
  #kept: EnergyTotals = {};
  #restoring: Promise<void> | undefined;

  constructor({ source, intervalMs, clock, keeper }: RailsOptions) {
    this.#source = source;
    this.#keeper = keeper;
    this.#clock = clock;
    this.periodMs = intervalMs;
    this.timeoutMs = Math.min(LONGEST_TIMEOUT_MS, Math.max(1000, intervalMs));
    this.#railWithinMs = this.timeoutMs * 0.8;
  }

  /** A configured rail counts as found even while its chip doesn't answer: reports then say why. */
  find(): Promise<Finding> {
    this.#search ??= this.#look().finally(() => {
      this.#search = undefined;
    });
    return this.#search;
  }

  /** Rails that were found are looked for anew once a minute; for none, who runs the sampler does. */
  hasNews(): boolean {
    return this.#rails.length > 0 && this.#clock.monotonicMs() - this.#lookedAtMs >= LOOK_AGAIN_MS;
  }

  async #look(): Promise<Finding> {
    const subject = 'rails';
    this.#lookedAtMs = this.#clock.monotonicMs();
    try {
      const readers = (await this.#source.look()).slice(0, MOST_RAILS);
      if (readers.length > 0) await this.#restore();
      this.#rails = readers.map((reader) => this.#stateFor(reader));
      for (const rail of this.#known.values()) if (!this.#rails.includes(rail)) rail.energy.interrupt();
      if (readers.length === 0) {
        return { subject, found: false, detail: (await this.#source.whyNone()).slice(0, 255) };
      }
      const details = await Promise.all(this.#rails.map((rail) => this.#lookFor(rail)));
      return { subject, found: true, detail: details.join('; ').slice(0, 255) };
    } catch (error) {
      // Those that were found before are there still.
      const found = this.#rails.length > 0;
      return { subject, found, detail: `rails can't be looked for: ${reasonOf(error)}`.slice(0, 255) };
    }
  }

  async sample(signal: AbortSignal): Promise<ReportPart> {
    const rails = await Promise.all(this.#rails.map((rail) => this.#read(rail, signal)));
    this.#keeper?.note(() => this.#totals());
    return rails.length > 0 ? { rails } : {};
  }

  facts(): SamplerFacts {
    if (this.#rails.length === 0) return {};
    const rails = this.#rails.map(({ reader: { label, measures, source, shuntOhms, location } }) => ({
      label,
      measures,
      source,
      ...(shuntOhms === undefined ? {} : { shuntOhms }),
      location: location.slice(0, 255),
    }));
    return { rails };
  }

  /** What was counted is on disk before a bus that hangs is waited for. */
  async stop(): Promise<void> {
    await this.#keeper?.close(this.#totals());
    await this.#source.close();
  }

  /** Once, however often it is looked for rails. */
  async #restore(): Promise<void> {
    if (!this.#keeper) return;
    this.#restoring ??= this.#keeper.open().then((kept) => {
      this.#kept = kept;
      for (const [label, { energy }] of this.#known) resume(energy, kept, label);
    });
    // Whoever keeps says what went wrong; a slow disk is waited for without us.
    await withDeadline(this.#restoring, RESTORE_WITHIN_MS, 'kept energy', this.#clock).catch(() => {});
  }

  /** Those of this run come first: of labels that are gone only some are kept. */
  #totals(): EnergyTotals {
    const totals: EnergyTotals = {};
    for (const [label, { energy }] of this.#known) {
      totals[label] = { joules: energy.joules, coveredSeconds: energy.coveredSeconds };
    }
    return { ...totals, ...this.#kept, ...totals };
  }

  #stateFor(reader: RailReader): RailState {
    const known = this.#known.get(reader.label);
    if (known) return Object.assign(known, { reader });
    const state: RailState = {
      reader,
      energy: new EnergyCounter(this.periodMs),
      retry: new Backoff({ baseMs: 1000, maxMs: 60_000 }),
      absent: 'not looked for yet',
      retryAtMs: 0,
      pending: false,
    };
    resume(state.energy, this.#kept, reader.label);
    this.#known.set(reader.label, state);
    return state;
  }

  async #lookFor(rail: RailState): Promise<string> {
    const { found, detail } = await this.#find(rail.reader);
    if (found) {
      rail.absent = undefined;
      rail.retry.reset();
      return `${rail.reader.label}: ${detail}`;
    }
    this.#lose(rail, detail);
    return `${rail.reader.label} absent: ${detail}`;
  }

  /** A bus that hangs keeps its rail from being found, and no other. */
  async #find(reader: RailReader): Promise<RailFinding> {
    try {
      return await withDeadline(reader.find(), this.#railWithinMs, `looking for ${reader.label}`, this.#clock);
    } catch (error) {
      return { found: false, detail: reasonOf(error) };
    }
  }

  #lose(rail: RailState, reason: string): void {
    rail.absent = reason;
    rail.retryAtMs = this.#clock.monotonicMs() + rail.retry.nextDelayMs();
  }

  async #read(rail: RailState, signal: AbortSignal): Promise<Rail> {
    if (rail.pending) return this.#toRail(rail, { absent: 'an earlier transfer has not ended' });
    if (rail.absent !== undefined && this.#clock.monotonicMs() < rail.retryAtMs) {
      return this.#toRail(rail, { absent: rail.absent });
    }
    rail.pending = true;
    const work = this.#attempt(rail, signal).finally(() => {
      rail.pending = false;
    });
    try {
      return this.#toRail(rail, await withDeadline(work, this.#railWithinMs, rail.reader.label, this.#clock));
    } catch (error) {
      const late = error instanceof ErichtError && error.code === 'DEADLINE_EXCEEDED';
      return this.#toRail(rail, { absent: late ? error.why! : reasonOf(error) });
    }
  }

  /** Looks again where the rail was lost; a failed reading loses it. Never rejects but for a defect. */
  async #attempt(rail: RailState, signal: AbortSignal): Promise<RailReading> {
    if (rail.absent !== undefined) {
      await this.#lookFor(rail);
      if (rail.absent !== undefined) return { absent: rail.absent };
    }
    try {
      return await rail.reader.read(signal);
    } catch (error) {
      this.#lose(rail, reasonOf(error));
      return { absent: reasonOf(error) };
    }
  }

  #toRail({ reader, energy }: RailState, reading: RailReading): Rail {
    if (reading.counted) energy.addCounted(reading.counted);
    if ('powerWatts' in reading && !reading.counted) energy.add(reading.powerWatts, this.#clock.monotonicMs());
    else energy.interrupt();
    return {
      label: reader.label,
      measures: reader.measures,
      source: reader.source,
      ...valuesOf(reading),
      energyJoules: roundTo(energy.joules, 3),
      coveredSeconds: roundTo(energy.coveredSeconds, 3),
      ...reader.counts,
    };
  }
}

function resume(energy: EnergyCounter, kept: EnergyTotals, label: string): void {
  const before = Object.hasOwn(kept, label) ? kept[label] : undefined;
  if (before) energy.resume(before);
}

/** Microvolts, microamperes and microwatts are below what any of these meters can tell; the rest is only bytes to send. */
function valuesOf(reading: RailReading): Partial<Rail> {
  if ('absent' in reading) return { absent: reading.absent.slice(0, 255) };
  if ('saturated' in reading) return { saturated: true };
  return {
    busVolts: roundTo(reading.busVolts, 6),
    currentAmperes: roundTo(reading.currentAmperes, 6),
    powerWatts: roundTo(reading.powerWatts, 6),
  };
}
