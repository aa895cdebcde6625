import t, { type Test } from 'tap';
import type { Rail, Report } from '../../telemetry/report.ts';
import { BoardAgent } from '../helpers/vm/board-agent.ts';
import { BoardChips, CHIP_ADDRESSES, IDENTITY, measuring, POWER_ON, type Words } from '../helpers/vm/board-chips.ts';
import { BoardVm } from '../helpers/vm/board-vm.ts';
import { agrees, allRead, type Chip, railOf, railsOf, stepsOf, valuesOf } from '../helpers/vm/register-table.ts';

t.setTimeout(780_000);
const LIMIT = { timeout: 400_000 };

const vm = await BoardVm.start(t);
const chips = new BoardChips(vm.shell);
const agent = new BoardAgent(vm.shell);
const bus = await chips.bus();

const HEALTHY = { says: 'a healthy chip', shunt: 4800, bus: 4080, shuntOhms: 0.01 };
const chipAt = (address: number): Chip => ({ ...HEALTHY, address });
const READY: Words = { ...IDENTITY, ...POWER_ON, ...measuring(HEALTHY) };

const hasValues = (rail: Rail | undefined) => rail?.powerWatts !== undefined;
const hasAnyNumber = (rail: Rail | undefined) =>
  [rail?.busVolts, rail?.currentAmperes, rail?.powerWatts].some((value) => value !== undefined);

function isHealthy(t: Test, rail: Rail | undefined, address: number): void {
  agrees(t, chipAt(address), rail, valuesOf(HEALTHY), stepsOf(HEALTHY));
}

function isHealthyExactly(rail: Rail): boolean {
  return Object.entries(valuesOf(HEALTHY)).every(([name, value]) => Math.abs(Number(rail[name]) - value) < 1e-6);
}

/** Whether a later report has values of the chip that this one lacks. */
function readAfter({ seq }: Report): (report: Report) => boolean {
  return (report) => report.seq > seq && hasValues(railOf(report, 64));
}

function coveredSeconds(rails: Rail[]): number {
  return (rails.at(-1)?.coveredSeconds ?? 0) - (rails[0]?.coveredSeconds ?? 0);
}

/** Whether the agent's deadlines left time for every rail. */
function isSettled({ rails = [] }: Report): boolean {
  return rails.length > 0 && rails.every(({ absent }) => !/within|not ended|window is not over/.test(absent ?? ''));
}

interface Case {
  says: string;
  words?: Words;
  /** The rail says this and gives no number; undefined: it is healthy. */
  absent?: RegExp;
  saturated?: true;
  /** The agent must not write to it. */
  untouched?: true;
}

const CASES: Record<number, Case> = {
  64: { says: 'set up from its power-on state' },
  65: { says: 'at full scale to the load', words: { 1: 0x7fff, 4: 0x7fff }, saturated: true },
  66: { says: 'at full scale back', words: { 1: 0x8000, 4: 0x8000 }, saturated: true },
  67: { says: 'at full scale of its voltage', words: { 2: 0x7fff }, saturated: true },
  68: { says: 'marked as overflowed', words: { 6: 0x000c }, absent: /overflow/ },
  69: { says: 'of another maker', words: { 254: 0 }, absent: /not an INA226/, untouched: true },
  70: { says: 'of another kind', words: { 255: 0x2270 }, absent: /not an INA226/, untouched: true },
  71: {
    says: 'all ones: the data line is stuck',
    words: Object.fromEntries([0, 1, 2, 3, 4, 5, 6, 0xfe, 0xff].map((register) => [register, 0xffff])),
    absent: /not an INA226/,
    untouched: true,
  },
  72: { says: 'claimed by a kernel driver', absent: /claimed/, untouched: true },
  73: { says: 'beside them' },
  74: { says: 'where there is none', absent: /no chip answers/ },
};

t.test('each way of being wrong has its reason and no number, and the healthy chips are read', LIMIT, async (t) => {
  await chips.write(new Map(CHIP_ADDRESSES.map((address) => [address, { ...READY, ...CASES[address]?.words }])));
  await chips.bind([72], 'dummy');
  const addresses = Object.keys(CASES).map(Number);
  const nowhere = { ...railsOf([chipAt(75)], 99)[0]!, label: 'nowhere' };
  await agent.configure([...railsOf(addresses.map(chipAt), bus), nowhere]);
  const report = await agent.once(isSettled);

  for (const address of addresses) {
    const { says, absent, saturated, untouched } = CASES[address]!;
    const rail = railOf(report, address);
    if (absent || saturated) {
      t.notOk(hasAnyNumber(rail), `${says}: no number`);
      t.equal(rail?.saturated, saturated, `${says}: saturated or not`);
      t.match(rail?.absent ?? '', absent ?? /^$/, `${says}: the reason`);
    } else {
      isHealthy(t, rail, address);
      const [configuration, calibration] = await chips.read(address, [0, 5]);
      t.not(configuration, POWER_ON[0], `${says}: configured`);
      t.equal(calibration, 2048, `${says}: calibrated`);
    }
    const before = { ...READY, ...CASES[address]?.words };
    if (untouched) t.same(await chips.read(address, [0, 5]), [before[0], before[5]], `${says}: not written to`);
  }
  const lost = report.rails?.find(({ label }) => label === 'nowhere');
  t.match(lost?.absent, /no \/dev\/i2c-99/);
  t.notOk(hasAnyNumber(lost));
  await chips.unbind([72]);
});

t.test(
  'a bus that is gone and one that answers zeroes: reports go on, and the chip is read once it is there',
  LIMIT,
  async (t) => {
    await agent.configure(railsOf([chipAt(64)], bus));
    await vm.shell.run('modprobe -r i2c-stub');
    await agent.start();
    const without = await agent.reported('the bus is missed', ({ rails }) =>
      /no \/dev\/i2c/.test(rails?.[0]?.absent ?? ''),
    );
    t.notOk(hasAnyNumber(without.rails?.[0]));
    t.ok(without.memory, 'the rest of the board is read');

    await vm.shell.run('modprobe i2c-stub');
    t.equal(await chips.bus(), bus, 'the bus is back under its number');
    const zeroes = await agent.reported('a chip of zeroes is no INA226', ({ rails }) =>
      /says 0000h and 0000h/.test(rails?.[0]?.absent ?? ''),
    );
    t.notOk(hasAnyNumber(zeroes.rails?.[0]));

    await chips.write(new Map([[64, READY]]));
    const found = await agent.reported('the chip is read', ({ rails }) => hasValues(rails?.[0]));
    isHealthy(t, found.rails?.[0], 64);
    await agent.stop();
  },
);

t.test('a chip that loses its supply is set up again and counted, and nothing of it is published', LIMIT, async (t) => {
  await chips.write(new Map([64, 65].map((address) => [address, READY])));
  await agent.configure(railsOf([64, 65].map(chipAt), bus));
  await agent.start();
  const { seq } = await agent.reported('both are read', allRead);
  const [configuration] = await chips.read(64, [0]);

  // Its calibration is lost, and what it shows is as plausible as before.
  await chips.write(new Map([[64, { 5: 0 }]]));
  const first = await agent.reported('the loss is counted', (report) => railOf(report, 64)?.resets === 1);
  t.match(railOf(first, 64)?.absent, /lost its settings/);
  t.notOk(hasAnyNumber(railOf(first, 64)));
  await agent.reported('it is read again', readAfter(first));
  t.same(await chips.read(64, [0, 5]), [configuration, 2048]);

  // All results are lost and no window ends; the settings go at one stroke, as they do in a chip.
  await chips.write(new Map([[64, { 6: 0 }]]));
  await chips.write(new Map([[64, { 1: 0, 2: 0, 3: 0, 4: 0 }]]));
  await chips.write(new Map([[64, { 0: POWER_ON[0]! }]]));
  const second = await agent.reported('the next one is counted', (report) => railOf(report, 64)?.resets === 2);
  t.same(await chips.read(64, [0, 5]), [configuration, 2048]);
  await chips.write(new Map([[64, measuring(HEALTHY)]]));
  await agent.reported('it is read again', readAfter(second));
  await agent.stop();

  const reports = (await agent.spool()).reports.filter((report) => report.seq >= seq);
  const railsAt = (address: number) => reports.map((report) => railOf(report, address)!);
  const strange = railsAt(64).filter((rail) => hasAnyNumber(rail) && !isHealthyExactly(rail));
  t.same(strange, [], 'its true values or none');
  t.ok(railsAt(65).every(isHealthyExactly), 'the other rail has its values in every report');
  const joules = railsAt(64).map(({ energyJoules = 0 }) => energyJoules);
  t.same(
    joules,
    joules.toSorted((a, b) => a - b),
    'the energy never falls',
  );
  t.ok(coveredSeconds(railsAt(64)) < coveredSeconds(railsAt(65)), 'and leaves the gaps out');
});

const ERRORS = [
  { errno: 'EREMOTEIO', reason: /no chip answers/ },
  { errno: 'ETIMEDOUT', reason: /timed out/ },
];

for (const { errno, reason } of ERRORS) {
  t.test(`${errno} for ten seconds: tried ever more rarely, the other rails go on, read again`, LIMIT, async (t) => {
    await chips.write(new Map([64, 65].map((address) => [address, READY])));
    await vm.shell.run('modprobe ina2xx');
    await chips.bind([65]);
    t.teardown(() => chips.unbind([65]));
    await agent.configure(railsOf([64, 65].map(chipAt), bus));
    const pid = await agent.start();
    const { seq, rails } = await agent.reported('both are read', allRead);
    t.same(
      rails?.map(({ source }) => source),
      ['i2c', 'hwmon'],
    );

    const injected = `-P /dev/i2c-${bus} -e trace=ioctl -e inject=ioctl:error=${errno}`;
    const { exitCode } = await vm.shell.ask(
      `timeout --signal=INT 10 strace -f -qq -o /run/trace -p ${pid} ${injected}`,
    );
    t.equal(exitCode, 124, 'the errors came to their end');
    const attempts = Number(await vm.shell.run('grep -c INJECTED /run/trace'));
    t.ok(attempts > 0 && attempts <= 6, `${attempts} attempts in ten seconds`);

    const broken = await agent.reported('it is absent', (report) => reason.test(railOf(report, 64)?.absent ?? ''));
    await agent.reported('it is read again', readAfter(broken));
    await agent.stop();

    const reports = (await agent.spool()).reports.filter((report) => report.seq >= seq);
    t.same(
      reports.map((report) => report.seq),
      reports.map((_, index) => seq + index),
      'no report is missing',
    );
    const [ours, others] = [64, 65].map((address) => reports.map((report) => railOf(report, address)!));
    t.ok(others!.every(hasValues), 'the other rail has its values in every report');
    t.ok(
      ours!.every((rail) => hasAnyNumber(rail) === (rail.absent === undefined)),
      'this one has values or a reason',
    );
  });
}
