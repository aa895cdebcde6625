import { KernelFile } from '../../hardware/kernel-file.ts';
import type { Clock } from '../../lib/clock.ts';
import { roundTo } from '../../lib/round.ts';
import type { Report } from '../../telemetry/report.ts';

/** The driver asks its chip's firmware for this; a signal says little at any one second. */
const PERIOD_MS = 10_000;

/** Drivers with a scale of dBm count the link's quality up to this (Linux cfg80211, wext-compat.c). */
const BEST_QUALITY = 70;

export type WifiSignal = NonNullable<NonNullable<Report['network']>['interfaces'][number]['wifi']>;

/** Wi-Fi signals of all interfaces, read beside the reports: asking for them never waits for the chip. */
export class WifiSignals {
  readonly #files: KernelFile[];
  readonly #clock: Clock;
  #last: { signals: Map<string, WifiSignal>; atMs: number } | undefined;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #reading = false;

  /** The first of `paths` that can be read is used. */
  constructor(paths: string[], clock: Clock) {
    this.#files = paths.map((path) => new KernelFile(path, { asksDevice: true }));
    this.#clock = clock;
  }

  /** What was read last, for two periods; begins the next reading when it is due. */
  current(): Map<string, WifiSignal> | undefined {
    const nowMs = this.#clock.monotonicMs();
    if (!this.#reading && nowMs - this.#askedAtMs >= PERIOD_MS) {
      this.#askedAtMs = nowMs;
      void this.#read();
    }
    return this.#last && nowMs - this.#last.atMs <= 2 * PERIOD_MS ? this.#last.signals : undefined;
  }

  stop(): void {
    for (const file of this.#files) file.close();
  }

  async #read(): Promise<void> {
    this.#reading = true;
    const sampledAt = this.#clock.now();
    for (const file of this.#files) {
      // Denied counts as absent: the next file may be open to us.
      const text = await file.text().catch(() => undefined);
      if (text === undefined) continue;
      this.#last = { signals: parseWireless(text, sampledAt), atMs: this.#clock.monotonicMs() };
      break;
    }
    this.#reading = false;
  }
}

/**
 * /proc/net/wireless: "wlan0: 0000   63.  -47.  -256 ...": status, link quality, level, noise. A dot marks a value that
 * is fresh. Drivers without a scale of dBm give a level from 0 up, whose unit nobody knows: that one is left out.
 */
export function parseWireless(text: string, sampledAt: number): Map<string, WifiSignal> {
  const signals = new Map<string, WifiSignal>();
  for (const [, name, quality, level] of text.matchAll(/^ *(\S+): +[0-9a-f]{4} +(-?\d+)\.? +(-?\d+)\.?/gm)) {
    const decibels = Number(level);
    // -256 is the kernel's word for "not told".
    if (decibels >= 0 || decibels <= -256) continue;
    const linkQualityRatio = roundTo(Math.min(1, Math.max(0, Number(quality) / BEST_QUALITY)), 3);
    signals.set(name!, { sampledAt, signalDecibelMilliwatts: decibels, linkQualityRatio });
  }
  return signals;
}
