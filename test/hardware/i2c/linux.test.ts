import t from 'tap';
import { deviceCall } from '../../../hardware/device-calls.ts';
import { isAddonBuilt, LinuxI2cBus, type LoadAddon } from '../../../hardware/i2c/linux.ts';

/** Stands for the addon's bus object: what it hands to the kernel are SMBus words, least significant byte first. */
function addon(work: (address: number, register: number, word?: number) => number) {
  const opened: number[] = [];
  let closed = 0;
  const load = (async () => ({
    async openPromisified(busNumber: number) {
      opened.push(busNumber);
      return {
        readWord: async (address: number, register: number) => work(address, register),
        writeWord: async (address: number, register: number, word: number) => void work(address, register, word),
        close: async () => {
          closed += 1;
        },
      };
    },
  })) as unknown as LoadAddon;
  return { load, opened, closed: () => closed };
}

t.test("words come in the chip's byte order, both ways", async (t) => {
  const written: (number | undefined)[] = [];
  const { load, opened } = addon((_address, register, word) => {
    written.push(word);
    return register === 0xfe ? 0x4954 : 0;
  });
  const bus = new LinuxI2cBus(1, load);
  t.equal(await bus.readWord(0x40, 0xfe), 0x5449);
  await bus.writeWord(0x40, 0, 0x4927);
  t.equal(written.at(-1), 0x2749);
  t.same(opened, [1], 'opened once');
});

t.test(
  'after a failure the bus is closed and opened anew: a refused address must not be read as address 0',
  async (t) => {
    let refuse = true;
    const { load, opened, closed } = addon(() => {
      if (refuse) throw Object.assign(new Error(', Device or resource busy'), { errno: 16, code: 'EBUSY' });
      return 0;
    });
    const bus = new LinuxI2cBus(5, load);
    await t.rejects(bus.readWord(0x40, 0), {
      code: 'SENSOR_UNREADABLE',
      message: /0x40 on \/dev\/i2c-5: claimed by a kernel driver/,
    });
    refuse = false;
    t.equal(await bus.readWord(0x40, 0), 0);
    t.same(opened, [5, 5]);
    t.equal(closed(), 1);
    await bus.close();
    t.equal(closed(), 2);
  },
);

t.test('errors are told by errno: the code may be empty, the sign either', async (t) => {
  for (const [errno, words] of [
    [121, /no chip answers/],
    [-2, /no such bus.*enable I2C/i],
    [-13, /permission denied.*group i2c/i],
    [110, /timed out/],
    [999, /odd/],
  ] as const) {
    const { load } = addon(() => {
      throw Object.assign(new Error('odd'), { errno, code: '' });
    });
    await t.rejects(new LinuxI2cBus(1, load).readWord(0x40, 0), { message: words });
  }
});

t.test('transfers on one bus never overlap', async (t) => {
  let running = 0;
  let most = 0;
  const load = (async () => ({
    openPromisified: async () => ({
      async readWord() {
        running += 1;
        most = Math.max(most, running);
        await new Promise(setImmediate);
        running -= 1;
        return 0;
      },
    }),
  })) as unknown as LoadAddon;
  const bus = new LinuxI2cBus(1, load);
  await Promise.all([1, 2, 3, 4].map((register) => bus.readWord(0x40, register)));
  t.equal(most, 1);
});

t.test('devices that hang leave a thread to everything else: a transfer waits for theirs', async (t) => {
  const { load } = addon(() => 0x0100);
  const bus = new LinuxI2cBus(1, load);
  await bus.readWord(0x40, 0);
  const release: (() => void)[] = [];
  const hung = [1, 2, 3].map((device) =>
    deviceCall(`hung device ${device}`, () => new Promise<void>((resolve) => release.push(resolve))),
  );
  let word: number | undefined;
  const transfer = bus.readWord(0x40, 0).then((read) => {
    word = read;
  });
  await new Promise(setImmediate);
  t.equal(word, undefined);
  for (const end of release) end();
  await Promise.all([...hung, transfer]);
  t.equal(word, 1);
});

t.test('a missing addon names the command that builds it', async (t) => {
  const missing: LoadAddon = () => Promise.reject(new Error('Could not locate the bindings file.'));
  const foreign: LoadAddon = () => Promise.reject(new Error('compiled against ... NODE_MODULE_VERSION 115'));
  await t.rejects(new LinuxI2cBus(1, missing).readWord(0x40, 0), {
    message: "cannot use I2C directly: i2c-bus isn't built. Run npm run build:i2c",
  });
  await t.rejects(new LinuxI2cBus(1, foreign).readWord(0x40, 0), { message: /built for another Node/ });
  t.equal(await isAddonBuilt(missing), false);
  t.equal(await isAddonBuilt(addon(() => 0).load), true);
});
