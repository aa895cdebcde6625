/**
 * The kernel's own hwmon driver, ina2xx, judges what the agent reads through it and, after the driver let go of the
 * chips, over the bus. Debian leaves the driver out: the board has it from the kernel's own source.
 */
import t from 'tap';
import { randomFor } from '../helpers/seeded-random.ts';
import { BoardAgent } from '../helpers/vm/board-agent.ts';
import { BoardChips } from '../helpers/vm/board-chips.ts';
import { BoardVm } from '../helpers/vm/board-vm.ts';
import {
  agrees,
  allRead,
  boardsOf,
  type Chip,
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
await vm.shell.run('modprobe ina2xx');
const bus = await chips.bus();

/** One step of the chip, or of the driver where that is the coarser: it rounds to whole mV, mA and µW. */
function driverStepsOf(chip: Chip): Values {
  const { busVolts, currentAmperes, powerWatts } = stepsOf(chip);
  return { busVolts: Math.max(busVolts, 1e-3), currentAmperes: Math.max(currentAmperes, 1e-3), powerWatts };
}

/** The same numbers on both sides: nothing but the last digit of a fraction may differ. */
const EQUAL: Values = { busVolts: 1e-6, currentAmperes: 1e-6, powerWatts: 1e-6 };

async function judged(board: Chip[]): Promise<Map<number, Values>> {
  const files = await chips.kernelFiles('hwmon/hwmon*/*_input');
  return new Map(
    board.map(({ address }) => {
      const file = (name: string) => Number(files.get(address)?.[`${name}_input`]);
      const currentAmperes = file('curr1') / 1000;
      // Where the current rounds to nothing, its sign does, too.
      const powerWatts = (currentAmperes < 0 ? -1 : 1) * (file('power1') / 1e6);
      return [address, { busVolts: file('in1') / 1000, currentAmperes, powerWatts }];
    }),
  );
}

async function setShunts(board: Chip[]): Promise<void> {
  const lines = board.map(({ address, shuntOhms }) => {
    const device = `/sys/bus/i2c/devices/${bus}-00${address.toString(16)}`;
    return `for file in ${device}/hwmon/hwmon*/shunt_resistor; do echo ${shuntOhms * 1e6} >$file; done`;
  });
  await vm.shell.run(lines.join('\n'));
}

for (const [number, board] of boardsOf(registerTable(randomFor(t), 3)).entries()) {
  const addresses = board.map(({ address }) => address);

  t.test(`board ${number + 1}: through hwmon and over the bus, all values are the kernel's`, LIMIT, async (t) => {
    await agent.configure(railsOf(board, bus));
    await chips.write(wordsOf(board));
    await chips.bind(addresses);

    const untold = await agent.once(allRead);
    for (const chip of board) {
      if (chip.shuntOhms === 0.01) continue;
      // The driver takes every shunt for 10 mΩ, and rounds to 1 mA at that.
      const { busVolts, currentAmperes, powerWatts } = driverStepsOf(chip);
      const steps = { busVolts, currentAmperes: currentAmperes * (0.01 / chip.shuntOhms), powerWatts };
      agrees(t, chip, railOf(untold, chip.address), valuesOf(chip), steps);
    }

    await setShunts(board);
    const verdict = await judged(board);
    for (const chip of board) agrees(t, chip, verdict.get(chip.address), valuesOf(chip), driverStepsOf(chip));

    const throughKernel = await agent.once(allRead);
    for (const chip of board) {
      const rail = railOf(throughKernel, chip.address);
      t.equal(rail?.source, 'hwmon', `the way in to ${rail?.label}`);
      agrees(t, chip, rail, verdict.get(chip.address)!, EQUAL);
    }

    await chips.unbind(addresses);
    const overBus = await agent.once(allRead);
    for (const chip of board) {
      const rail = railOf(overBus, chip.address);
      t.equal(rail?.source, 'i2c', `the way in to ${rail?.label}`);
      agrees(t, chip, rail, verdict.get(chip.address)!, driverStepsOf(chip));
    }
  });
}
