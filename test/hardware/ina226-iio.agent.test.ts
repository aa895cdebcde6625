/**
 * The kernel's own IIO driver, ina2xx-adc, judges what the agent reads: the same registers are read by the driver, by the
 * agent through the driver, and, after the driver let go of the chips, by the agent over the bus.
 */
import t, { type Test } from 'tap';
import type { Report } from '../../telemetry/report.ts';
import { randomFor } from '../helpers/seeded-random.ts';
import { BoardAgent } from '../helpers/vm/board-agent.ts';
import { BoardChips, POWER_ON } from '../helpers/vm/board-chips.ts';
import { BoardVm } from '../helpers/vm/board-vm.ts';
import {
  agrees,
  allRead,
  boardsOf,
  type Chip,
  ENDS,
  labelOf,
  railOf,
  railsOf,
  registerTable,
  stepsOf,
  type Values,
  valuesOf,
  wordsOf,
} from '../helpers/vm/register-table.ts';

t.setTimeout(780_000);
const LIMIT = { timeout: 400_000 };

const vm = await BoardVm.start(t);
const chips = new BoardChips(vm.shell);
const agent = new BoardAgent(vm.shell);
await vm.shell.run('modprobe ina2xx-adc');
const bus = await chips.bus();

/** A count that differs by one is more than this away. */
function halfStepsOf(chip: Chip): Values {
  const { busVolts, currentAmperes, powerWatts } = stepsOf(chip);
  return { busVolts: busVolts / 2, currentAmperes: currentAmperes / 2, powerWatts: powerWatts / 2 };
}

/** What the kernel says in mV, mA and mW, the power without a sign. */
async function judged(board: Chip[]): Promise<Map<number, Values>> {
  const files = await chips.kernelFiles('iio:device*/in_*');
  return new Map(
    board.map(({ address }) => {
      const file = (name: string) => Number(files.get(address)?.[`in_${name}`]);
      const value = (name: string) => (file(`${name}_raw`) * file(`${name}_scale`)) / 1000;
      const currentAmperes = value('current3');
      const powerWatts = Math.sign(currentAmperes) * value('power2');
      return [address, { busVolts: value('voltage1'), currentAmperes, powerWatts }];
    }),
  );
}

async function setShunts(board: Chip[]): Promise<void> {
  const lines = board.map(({ address, shuntOhms }) => {
    const device = `/sys/bus/i2c/devices/${bus}-00${address.toString(16)}`;
    return `for file in ${device}/iio:device*/in_shunt_resistor; do echo ${shuntOhms} >$file; done`;
  });
  await vm.shell.run(lines.join('\n'));
}

function check(t: Test, board: Chip[], source: string, report: Report, verdict: Map<number, Values>): void {
  for (const chip of board) {
    const rail = railOf(report, chip.address);
    t.equal(rail?.source, source, `the way in to ${rail?.label}`);
    agrees(t, chip, rail, verdict.get(chip.address)!, halfStepsOf(chip));
  }
}

const table = [...registerTable(randomFor(t), 1), ...ENDS];
for (const [number, board] of boardsOf(table).entries()) {
  const addresses = board.map(({ address }) => address);

  t.test(
    `board ${number + 1}: through IIO and over the bus, all values are the kernel's to the step`,
    LIMIT,
    async (t) => {
      await agent.configure(railsOf(board, bus));
      await chips.write(wordsOf(board));
      await chips.bind(addresses);
      await setShunts(board);
      const verdict = await judged(board);
      for (const chip of board) agrees(t, chip, verdict.get(chip.address), valuesOf(chip), halfStepsOf(chip));
      check(t, board, 'iio', await agent.once(allRead), verdict);
      await chips.unbind(addresses);
      check(t, board, 'i2c', await agent.once(allRead), verdict);
    },
  );
}

const HEALTHY = { says: 'a healthy chip', shunt: 4800, bus: 4080, shuntOhms: 0.01 };
const chipAt = (address: number): Chip => ({ ...HEALTHY, address });

t.test('sensors scan says what is where and who has claimed it, and changes nothing', LIMIT, async (t) => {
  await chips.write(wordsOf([64, 65, 66, 67].map(chipAt), { 0: POWER_ON[0]!, 5: 0 }));
  await chips.write(new Map([[68, { 254: 0, 255: 0 }]]));
  await chips.bind([66]);
  await chips.bind([67], 'dummy');
  await agent.configure(railsOf([chipAt(64)], bus));
  const before = await Promise.all([64, 65, 66, 67].map((address) => chips.read(address, [0, 5])));

  const scan = (await agent.json('sensors scan')) as {
    buses: { bus: number; chips: { address: number }[] }[];
    rails: object[];
    unconfigured: { address: number }[];
  };
  const found = new Map(scan.buses.find((one) => one.bus === bus)?.chips.map((chip) => [chip.address, chip]));
  t.match(found.get(64), { state: 'ina226', rail: labelOf(64) });
  t.match(found.get(65), { state: 'ina226' });
  t.match(found.get(66), { state: 'claimed', driver: 'ina2xx_adc', served: { by: 'iio', name: 'ina226' } });
  t.match(found.get(67), { state: 'claimed', driver: 'dummy' });
  t.notMatch(found.get(68), { state: 'ina226' });
  t.match(scan.rails, [{ label: labelOf(64), found: true }]);
  t.ok(scan.unconfigured.some(({ address }) => address === 65));
  t.notOk(scan.unconfigured.some(({ address }) => [64, 66, 67, 68].includes(address)));
  const after = await Promise.all([64, 65, 66, 67].map((address) => chips.read(address, [0, 5])));
  t.same(after, before, 'no register of it was written');
  await chips.unbind([66, 67]);
});

t.test('sensors calibrate computes the shunt from a known load', LIMIT, async (t) => {
  await chips.write(wordsOf([chipAt(64)]));
  await agent.configure(railsOf([chipAt(64)], bus));
  // 4800 steps of 2.5 µV are 12 mV.
  const result = await agent.json(`sensors calibrate ${labelOf(64)} --known-amperes 1.000`);
  t.match(result, { rail: labelOf(64), source: 'i2c', knownAmperes: 1, shuntOhms: 0.012 });
});
