/**
 * Random loads, chips and clocks: what the agent counts as energy against the integral of the true power. Stated bounds:
 *
 * - an unbroken row of windows covers the time that passed, to within two polls and the running window;
 * - its joules are the integral to within 0.5 % and the energy of that same time at the highest power;
 * - with windows missed, saturated or lost in resets, covered time and gaps add up to the time that passed: each late poll
 *   may mistake one window's length, no more;
 * - joules never fall, and wall time that jumps changes nothing.
 */
import t from 'tap';
import { FakeIna226 } from '../../../hardware/i2c/fake-chip.ts';
import { averagingFor } from '../../../hardware/ina226/averaging.ts';
import { Ina226 } from '../../../hardware/ina226/device.ts';
import { WindowReader } from '../../../hardware/ina226/window-reader.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import { randomFor, type SeededRandom } from '../../helpers/seeded-random.ts';

const random = randomFor(t);
const SHUNT_OHMS = 0.01;
const BUS_VOLTS = 5;
const MOST_WATTS = 20;

/** A case of chip, load and clock, and what the reader made of it. */
class Stand {
  readonly clock = new ManualClock();
  readonly averaging;
  readonly chip;
  readonly reader;
  trueJoules = 0;
  joules = 0;
  seconds = 0;
  #watts = 0;
  #startMs = 0;

  constructor(intervalMs: number, lengthFactor: number) {
    this.averaging = averagingFor(intervalMs);
    this.chip = new FakeIna226(0x40, { clock: this.clock, lengthFactor });
    const device = new Ina226({
      bus: this.chip,
      address: 0x40,
      shuntOhms: SHUNT_OHMS,
      averaging: this.averaging,
    });
    this.reader = new WindowReader({ chip: device, averaging: this.averaging, clock: this.clock });
  }

  async start(watts: number): Promise<void> {
    this.draw(watts);
    await this.reader.start();
    this.#startMs = this.clock.monotonicMs();
  }

  draw(watts: number): void {
    this.#watts = watts;
    this.chip.load = { busVolts: BUS_VOLTS, shuntVolts: (watts / BUS_VOLTS) * SHUNT_OHMS };
  }

  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms);
    this.trueJoules += (this.#watts * ms) / 1000;
  }

  /** The process sleeps; its timers are late. */
  async stall(ms: number): Promise<void> {
    this.clock.sleepThrough(ms);
    this.trueJoules += (this.#watts * ms) / 1000;
    await this.clock.advance(0);
  }

  take(): void {
    const { joules, seconds } = this.reader.take().counted!;
    if (joules < 0 || seconds < 0) throw new Error('a counter fell');
    this.joules += joules;
    this.seconds += seconds;
  }

  get elapsedSeconds(): number {
    return (this.clock.monotonicMs() - this.#startMs) / 1000;
  }

  /** Seconds that the end of a row may leave open: the running window and the polls at either end. */
  get edgeSeconds(): number {
    return (this.averaging.windowMs * 1.1 + 2 * this.averaging.pollMs) / 1000;
  }
}

const anyFactor = (random: SeededRandom) => random.pick([0.9, 1, 1.1, 0.9 + random.next() * 0.2]);

t.test('unbroken rows: covered time is elapsed time, joules are the integral', async (t) => {
  let worst = 0;
  for (let run = 0; run < 16; run += 1) {
    const intervalMs = random.pick([100, 250, 1000]);
    const factor = anyFactor(random);
    const stand = new Stand(intervalMs, factor);
    const about = `run ${run}: interval ${intervalMs} ms, oscillator ${factor}`;
    const restlessMs = random.pick([0.3, 1, 10]) * intervalMs;
    await stand.start(random.next() * MOST_WATTS);
    for (let report = 0; report < 200; report += 1) {
      for (let leftMs = intervalMs; leftMs > 0; ) {
        const ms = Math.min(leftMs, restlessMs * (0.1 + random.next()));
        await stand.pass(ms);
        leftMs -= ms;
        stand.draw(random.next() * MOST_WATTS);
      }
      if (random.next() < 0.05) stand.clock.jumpWall((random.next() - 0.5) * 1e9);
      stand.take();
    }
    if (stand.reader.counts.missedWindows !== 0) return t.fail(`${about}: missed ${stand.reader.counts.missedWindows}`);
    const open = stand.elapsedSeconds - stand.seconds;
    if (open < -stand.edgeSeconds || open > stand.edgeSeconds) return t.fail(`${about}: ${open} s are open`);
    const off = Math.abs(stand.joules - stand.trueJoules);
    const allowed = 0.005 * stand.trueJoules + stand.edgeSeconds * MOST_WATTS;
    worst = Math.max(worst, off / stand.trueJoules);
    if (off > allowed) return t.fail(`${about}: ${stand.joules} J counted, ${stand.trueJoules} J drawn`);
  }
  t.comment(`at most ${(worst * 100).toFixed(3)} % off, what the ends leave open included`);
  t.pass('16 runs of 200 reports');
});

t.test('the jitter of polls does not enter: a steady load is counted as if by a perfect clock', async (t) => {
  for (const factor of [0.9, 0.97, 1, 1.03, 1.1]) {
    const stand = new Stand(1000, factor);
    await stand.start(10);
    for (let second = 0; second < 600; second += 1) {
      // A busy process: up to 100 ms late, always within what the averaging allows for.
      const lateMs = random.next() * 100;
      await stand.pass(1000 - lateMs);
      await stand.stall(lateMs);
      stand.take();
    }
    t.equal(stand.reader.counts.missedWindows, 0, `oscillator ${factor}`);
    const ratio = stand.joules / stand.trueJoules;
    t.ok(Math.abs(ratio - 1) < 0.002, `${((ratio - 1) * 100).toFixed(4)} % after 10 minutes at oscillator ${factor}`);
  }
});

t.test('covered time and gaps make up the time that passed, whatever is late, saturated or reset', async (t) => {
  for (let run = 0; run < 16; run += 1) {
    const intervalMs = random.pick([100, 1000]);
    const factor = anyFactor(random);
    const stand = new Stand(intervalMs, factor);
    const about = `run ${run}: interval ${intervalMs} ms, oscillator ${factor}`;
    const windowSeconds = (stand.averaging.windowMs * factor) / 1000;
    const watts = 1 + random.next() * (MOST_WATTS - 1);
    await stand.start(watts);
    let stalls = 0;
    let resets = 0;
    for (let report = 0; report < 300; report += 1) {
      await stand.pass(intervalMs);
      const chance = random.next();
      if (chance < 0.02) {
        await stand.stall(random.next() * 12_000);
        stalls += 1;
      } else if (chance < 0.03) {
        stand.chip.powerOn();
        resets += 1;
        await stand.pass(intervalMs);
      } else if (chance < 0.05) {
        stand.draw(1000);
        await stand.pass(random.next() * 3 * intervalMs);
        stand.draw(watts);
      } else if (chance < 0.07) stand.clock.jumpWall((random.next() - 0.5) * 1e10);
      stand.take();
    }
    const { missedWindows = 0, saturatedWindows = 0, resets: found } = stand.reader.counts;
    if (found !== resets) return t.fail(`${about}: ${found} resets of ${resets}`);
    const gaps = (missedWindows + saturatedWindows) * windowSeconds;
    // Of a reset, all is lost since the last window before it, until it is found.
    const lost = resets * (windowSeconds + (2 * stand.averaging.pollMs) / 1000 + 2 * (intervalMs / 1000));
    const open = stand.elapsedSeconds - stand.seconds - gaps;
    const slack = stand.edgeSeconds + stalls * windowSeconds + saturatedWindows * 0.1 * windowSeconds;
    if (open < -slack || open > slack + lost) return t.fail(`${about}: ${open} s unexplained, ${stalls} stalls`);
    if (stand.seconds > stand.elapsedSeconds + stand.edgeSeconds) return t.fail(`${about}: covers more than passed`);
  }
  t.pass('16 runs of 300 reports');
});

t.test('joules of a steady load are its power times the covered time, across every gap', async (t) => {
  for (let run = 0; run < 8; run += 1) {
    const factor = anyFactor(random);
    const stand = new Stand(1000, factor);
    const watts = 1 + random.next() * 15;
    await stand.start(watts);
    for (let report = 0; report < 300; report += 1) {
      await stand.pass(1000);
      if (random.next() < 0.03) await stand.stall(random.next() * 30_000);
      if (random.next() < 0.01) {
        stand.chip.powerOn();
        await stand.pass(1000);
      }
      stand.take();
    }
    const steps = (25 * 2.5e-6) / SHUNT_OHMS + (watts * 2.5e-6) / SHUNT_OHMS / (watts / BUS_VOLTS);
    const off = Math.abs(stand.joules / stand.seconds - watts);
    if (off > steps) return t.fail(`run ${run}: ${stand.joules} J in ${stand.seconds} s at ${watts} W`);
  }
  t.pass('8 runs of 300 reports');
});
