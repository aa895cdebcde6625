import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { TemperatureSampler } from '../../../agent/samplers/temperature.ts';

const never = new AbortController().signal;
const zone = (type: string, temp: string) => ({ type: `${type}\n`, temp: `${temp}\n` });

t.test("the processor's zone is told, though another is hotter", async (t) => {
  const root = t.testdir({
    class: { thermal: { thermal_zone0: zone('gpu-thermal', '70000'), thermal_zone1: zone('soc-thermal', '51400') } },
  });
  const sampler = new TemperatureSampler({ sysfs: root }, 1000);
  t.match(await sampler.find(), { found: true, detail: 'soc-thermal' });
  t.same(await sampler.sample(never), {
    temperature: {
      temperatureCelsius: 51.4,
      zones: [
        { name: 'gpu-thermal', temperatureCelsius: 70 },
        { name: 'soc-thermal', temperatureCelsius: 51.4 },
      ],
    },
  });
  rmSync(join(root, 'class/thermal/thermal_zone1/temp'));
  await t.rejects(sampler.sample(never), { message: 'soc-thermal does not answer' }, 'the hotter one never stands in');
});

t.test('where no zone is named after the processor, the hottest stands for it', async (t) => {
  const root = t.testdir({
    class: { thermal: { thermal_zone0: zone('acpitz', '40000'), thermal_zone1: zone('acpitz', '-5000') } },
  });
  const sampler = new TemperatureSampler({ sysfs: root }, 1000);
  t.match(await sampler.find(), { found: true, detail: 'hottest of acpitz, acpitz-2' });
  t.match(await sampler.sample(never), {
    temperature: { temperatureCelsius: 40, zones: [{ name: 'acpitz' }, { name: 'acpitz-2', temperatureCelsius: -5 }] },
  });
});

t.test('a zone without a value is left out at the search, one that loses it at the reading', async (t) => {
  const root = t.testdir({
    class: {
      thermal: {
        thermal_zone0: zone('x86_pkg_temp', '45000'),
        thermal_zone1: { type: 'iwlwifi_1\n' },
        thermal_zone2: zone('pch', '50000'),
        cooling_device0: zone('Processor', '0'),
      },
    },
  });
  const sampler = new TemperatureSampler({ sysfs: root }, 1000);
  await sampler.find();
  writeFileSync(join(root, 'class/thermal/thermal_zone2/temp'), '');
  t.same(
    (await sampler.sample(never)).temperature?.zones?.map(({ name }) => name),
    ['x86_pkg_temp'],
  );
});

t.test("hwmon is asked for the processor's driver only", async (t) => {
  const root = t.testdir({
    class: {
      hwmon: {
        hwmon0: { name: 'nvme\n', temp1_input: '60000\n' },
        hwmon1: { name: 'coretemp\n', temp1_input: '47000\n' },
      },
    },
  });
  const sampler = new TemperatureSampler({ sysfs: root }, 1000);
  t.match(await sampler.find(), { found: true, detail: 'coretemp' });
  t.match(await sampler.sample(never), { temperature: { temperatureCelsius: 47, zones: [{ name: 'coretemp' }] } });
});
