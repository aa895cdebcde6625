import t from 'tap';
import { BOARD_PROFILES, profileOf } from '../../hardware/profiles.ts';

t.test('boards are recognised by the model of their device tree, as vendors and mainline write it', async (t) => {
  for (const [model, id] of [
    ['Raspberry Pi 4 Model B Rev 1.5', 'raspberry-pi-4'],
    ['Raspberry Pi 5 Model B Rev 1.0', 'raspberry-pi-5'],
    ['Raspberry Pi 400 Rev 1.0', 'generic'],
    ['Raspberry Pi 500 Rev 1.0', 'generic'],
    ['Orange Pi 5', 'orange-pi-5'],
    ['Xunlong Orange Pi 5', 'orange-pi-5'],
    ['Orange Pi 5B', 'orange-pi-5b'],
    ['Xunlong Orange Pi 5B', 'orange-pi-5b'],
    ['Orange Pi 5 Plus', 'orange-pi-5-plus'],
    ['Xunlong Orange Pi 5 Plus', 'orange-pi-5-plus'],
    ['RK3588 OPi 5 Plus', 'orange-pi-5-plus'],
    ['RK3588 OPi 5 Max', 'generic'],
    ['Orange Pi 5 Max', 'generic'],
    ['Xunlong Orange Pi 5 Pro', 'generic'],
    ['LENOVO ThinkPad T14', 'generic'],
    [undefined, 'generic'],
  ] as const) {
    t.equal(profileOf(model).id, id, model ?? 'no model');
  }
});

t.test('a known board tells the bus of its pin header', async (t) => {
  t.same(profileOf('Raspberry Pi 4 Model B').headerI2c, { bus: 1, sdaPin: 3, sclPin: 5 });
  t.equal(profileOf('Orange Pi 5').headerI2c?.bus, 5);
  t.equal(profileOf('Orange Pi 5 Plus').headerI2c?.bus, 2);
  t.equal(profileOf(undefined).headerI2c, undefined);
});

t.test('every known board says how its bus is switched on, what feeds it, and how it boots', async (t) => {
  for (const profile of BOARD_PROFILES.slice(0, -1)) {
    t.ok(profile.headerI2c && profile.maxWatts && profile.pageSizesBytes.length > 0, profile.id);
    t.ok(profile.i2cActivation.length > 0 && Object.keys(profile.storage.bootFiles).length > 0, profile.id);
    for (const { command, file, line, system } of profile.i2cActivation) {
      t.ok(command !== undefined || (file !== undefined && line !== undefined), `${profile.id}, ${system}`);
    }
  }
});

t.test('the overlay that is named is the one of the bus that is named', async (t) => {
  for (const profile of BOARD_PROFILES.filter(({ id }) => id.startsWith('orange'))) {
    for (const { line, note } of profile.i2cActivation) {
      t.match(line, new RegExp(`overlays=(rk3588-)?i2c${profile.headerI2c?.bus}-m\\d$`), profile.id);
      t.match(note, new RegExp(`i2c-?${profile.headerI2c?.bus}`), profile.id);
    }
  }
});

t.test('a profile is data that can be sent and rendered', async (t) => {
  for (const profile of BOARD_PROFILES) {
    const { model: _, ...data } = profile;
    t.same(JSON.parse(JSON.stringify(data)), data, profile.id);
  }
});
