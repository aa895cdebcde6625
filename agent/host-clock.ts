import { existsSync } from 'node:fs';
import { uptime } from 'node:os';
import { join } from 'node:path';
import { readKernelText } from '../hardware/kernel-file.ts';
import type { Clock } from '../lib/clock.ts';

/** What the board says of its boot and its wall clock. */
export interface HostClock {
  /** Changes at every boot. */
  readonly bootId: string;
  /** Whole milliseconds since boot, monotonic. */
  uptimeMs(): number;
  clockSynchronised(): boolean;
  /** What clockSynchronised() goes by, in words for a person. */
  synchronisedBy(): string;
}

export interface HostClockOptions {
  procfs: string;
  clock: Clock;
  /** Where services keep their run-time state. */
  runDirectory?: string;
  /** Seconds since boot, where there is no /proc. */
  uptimeSeconds?: () => number;
}

/** A board that has never been told the time says 1970, or the year its operating system was made. */
const NO_CLOCK_IS_EARLIER_THAN = Date.UTC(2025, 0, 1);

/** Synchronised files are looked at again after this time. */
const LOOK_EVERY_MS = 5000;

/** The time of boot is known to about this: where it stands for a boot id, it is rounded to it. */
const BOOT_TIME_ROUNDING_MS = 10_000;

/** Reads what doesn't change; the rest is asked for at each report, without waiting. */
export async function readHostClock({
  procfs,
  clock,
  runDirectory = '/run',
  uptimeSeconds = uptime,
}: HostClockOptions): Promise<HostClock> {
  const text = await readKernelText(join(procfs, 'uptime')).catch(() => undefined);
  const kernelSeconds = text === undefined ? Number.NaN : Number(text.split(' ')[0]);
  const bootMonotonicMs =
    clock.monotonicMs() - 1000 * (Number.isFinite(kernelSeconds) ? kernelSeconds : uptimeSeconds());
  const uptimeMs = () => Math.max(0, Math.round(clock.monotonicMs() - bootMonotonicMs));

  const kernelBootId = await readKernelText(join(procfs, 'sys/kernel/random/boot_id')).catch(() => undefined);
  const bootedAt = Math.round((clock.now() - uptimeMs()) / BOOT_TIME_ROUNDING_MS) * BOOT_TIME_ROUNDING_MS;

  const watch = new SynchronisationWatch(clock, runDirectory);
  return {
    bootId: (kernelBootId || `boot-${bootedAt}`).slice(0, 64),
    uptimeMs,
    clockSynchronised: () => watch.look().synchronised,
    synchronisedBy: () => watch.look().words,
  };
}

interface Verdict {
  synchronised: boolean;
  words: string;
}

/**
 * Whether the wall clock follows a source, as far as files tell. systemd-timesyncd touches a file at its first success.
 * chrony and ntpd leave no such mark (the kernel's own flag needs adjtimex, which Node lacks): with them, and on other
 * systems, a clock that shows a plausible year is taken to be set.
 */
class SynchronisationWatch {
  readonly #clock: Clock;
  readonly #timesyncDirectory: string;
  #verdict: Verdict | undefined;
  #lookAgainAtMs = 0;

  constructor(clock: Clock, runDirectory: string) {
    this.#clock = clock;
    this.#timesyncDirectory = join(runDirectory, 'systemd/timesync');
  }

  look(): Verdict {
    const nowMs = this.#clock.monotonicMs();
    if (this.#verdict && nowMs < this.#lookAgainAtMs) return this.#verdict;
    this.#lookAgainAtMs = nowMs + LOOK_EVERY_MS;
    this.#verdict = this.#judge();
    return this.#verdict;
  }

  #judge(): Verdict {
    if (this.#clock.now() < NO_CLOCK_IS_EARLIER_THAN) return { synchronised: false, words: 'the clock was never set' };
    if (existsSync(join(this.#timesyncDirectory, 'synchronized'))) {
      return { synchronised: true, words: 'systemd-timesyncd has synchronised the clock' };
    }
    if (existsSync(this.#timesyncDirectory)) {
      return { synchronised: false, words: 'systemd-timesyncd has not reached a time server yet' };
    }
    return { synchronised: true, words: 'assumed from a plausible date: no time service tells its state in a file' };
  }
}
