import t from 'tap';
import { railSettingsSchema, railsSettingsSchema } from '../../../hardware/rails/settings.ts';

const rail = { label: 'board', bus: 1, address: 0x40, shuntOhms: 0.01 };

t.test('a rail needs its shunt: there is no default', async (t) => {
  const { shuntOhms: _, ...without } = rail;
  const result = railSettingsSchema.safeParse(without);
  t.same(
    result.error?.issues.map(({ path }) => path),
    [['shuntOhms']],
  );
  t.match(railSettingsSchema.parse(rail), { measures: 'board', shuntOhms: 0.01 });
});

t.test('addresses outside the chip and shunts of nothing are refused', async (t) => {
  for (const wrong of [
    { address: 0x3f },
    { address: 0x50 },
    { shuntOhms: 0 },
    { shuntOhms: -1 },
    { shuntOhms: 0.00001 },
    { shuntOhms: 2 },
    { maxAmperes: 0 },
    { bus: -1 },
    { shunt: 1 },
  ]) {
    t.notOk(railSettingsSchema.safeParse({ ...rail, ...wrong }).success, JSON.stringify(wrong));
  }
});

t.test('two rails share neither label nor chip', async (t) => {
  const problems = (second: object) => {
    const result = railsSettingsSchema.safeParse([rail, { ...rail, ...second }]);
    return result.error?.issues.map(({ message }) => message) ?? [];
  };
  t.same(problems({ address: 0x41 }), ['label board is used by two rails']);
  t.same(problems({ label: 'inlet' }), ['bus 1, address 0x40 is used by two rails']);
  t.same(problems({ label: 'inlet', bus: 5 }), []);
});
