import t from 'tap';
import { FakeIna226 } from '../../../hardware/i2c/fake-chip.ts';
import { averagingFor } from '../../../hardware/ina226/averaging.ts';
import { Ina226 } from '../../../hardware/ina226/device.ts';
import { Register } from '../../../hardware/ina226/registers.ts';

const AVERAGING = averagingFor(1000);

function chipAndDevice(shuntOhms = 0.01) {
  const chip = new FakeIna226();
  chip.load = { busVolts: 5.1, shuntVolts: 0.0085 };
  return { chip, device: new Ina226({ bus: chip, address: 0x40, shuntOhms, averaging: AVERAGING }) };
}

async function prepared() {
  const parts = chipAndDevice();
  await parts.device.prepare();
  parts.chip.convert();
  return parts;
}

t.test('a chip at its power-on settings is set up, and nothing is told before its first window is over', async (t) => {
  const { chip, device } = chipAndDevice();
  await device.prepare();
  t.equal(chip.get(Register.configuration), AVERAGING.configuration);
  t.equal(chip.get(Register.calibration), 2048);
  t.notOk((await device.readFlags()).ready);
  chip.convert();
  t.ok((await device.readFlags()).ready);
  const reading = (await device.readWindow())!;
  if (!('powerWatts' in reading)) return t.fail(JSON.stringify(reading));
  t.ok(Math.abs(reading.currentAmperes - 0.85) < 0.0005);
  t.ok(Math.abs(reading.powerWatts - 0.85 * 5.1) < 0.005);
  t.equal(device.resets, 0);
});

t.test('a chip that is set up already is not written to, so that its window goes on', async (t) => {
  const { chip, device } = await prepared();
  await device.readWindow();
  let written = 0;
  const write = chip.writeWord.bind(chip);
  chip.writeWord = (...words) => {
    written += 1;
    return write(...words);
  };
  await device.prepare();
  t.equal(written, 0);
  t.match(await device.readWindow(), { powerWatts: Number });
});

t.test('a brown-out is never published: the chip is set up again and counted', async (t) => {
  const { chip, device } = await prepared();
  chip.powerOn();
  chip.convert();
  t.equal(await device.readWindow(), undefined);
  t.equal(device.resets, 1);
  t.equal(chip.get(Register.calibration), 2048);
  t.notOk((await device.readFlags()).ready);
  chip.convert();
  t.match(await device.readWindow(), { powerWatts: Number });
});

t.test('a brown-out between two transfers of one reading gives the reading up', async (t) => {
  for (const register of [Register.bus, Register.power, Register.configuration]) {
    const { chip, device } = await prepared();
    await device.readWindow();
    chip.beforeTransfer = (at) => {
      if (at !== register) return;
      chip.beforeTransfer = undefined;
      chip.powerOn();
    };
    t.equal(await device.readWindow(), undefined, `before register ${register}`);
  }
});

t.test('a supply that fails twice is counted twice', async (t) => {
  const { chip, device } = await prepared();
  chip.powerOn();
  await device.readWindow();
  chip.powerOn();
  await device.prepare();
  t.equal(device.resets, 2);
});

t.test('an overloaded shunt is saturated and has no number', async (t) => {
  const { chip, device } = await prepared();
  for (const shuntVolts of [0.09, -0.09]) {
    chip.load = { busVolts: 5, shuntVolts };
    chip.convert();
    t.same(await device.readWindow(), { saturated: true });
  }
});

t.test('another chip at the address is refused with both of its words', async (t) => {
  const { chip, device } = chipAndDevice();
  chip.set(Register.die, 0x2770);
  await t.rejects(device.prepare(), { code: 'SENSOR_UNREADABLE', message: /not an INA226: it says 5449h and 2770h/ });
});

t.test('a chip that keeps no settings is refused', async (t) => {
  const { chip, device } = chipAndDevice();
  chip.writeWord = async () => {};
  await t.rejects(device.prepare(), { code: 'SENSOR_UNREADABLE', message: /doesn't keep its settings/ });
});

t.test('a missing chip is told by its errno, whatever the code', async (t) => {
  const { chip, device } = chipAndDevice();
  for (const errno of [121, 6, 19]) {
    chip.failWithErrno = errno;
    await t.rejects(device.prepare(), {
      message: 'cannot reach 0x40 on /dev/i2c-1: no chip answers at this address. Check the wiring and the address',
    });
  }
  chip.failWithErrno = 16;
  await t.rejects(device.prepare(), { message: /claimed by a kernel driver/ });
});
