import t from 'tap';
import { profileOf } from '../../hardware/profiles.ts';

t.test('boards are recognised by the model of their device tree, as vendors and mainline write it', async (t) => {
  for (const [model, id] of [
    ['Raspberry Pi 4 Model B Rev 1.5', 'raspberry-pi-4'],
    ['Raspberry Pi 5 Model B Rev 1.0', 'raspberry-pi-5'],
    ['Raspberry Pi 400 Rev 1.0', 'generic'],
    ['Orange Pi 5', 'orange-pi-5'],
    ['Xunlong Orange Pi 5', 'orange-pi-5'],
    ['Orange Pi 5B', 'orange-pi-5b'],
    ['Xunlong Orange Pi 5 Plus', 'orange-pi-5-plus'],
    ['Orange Pi 5 Max', 'generic'],
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
