import { mkdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import t from 'tap';
import { boardSamplers } from '../../../agent/samplers/board-samplers.ts';
import { Sampling } from '../../../agent/sampling.ts';
import { systemClock } from '../../../lib/clock.ts';
import { withDeadline } from '../../../lib/deadline.ts';
import { silentLog } from '../../../lib/log.ts';
import { stuckDevice } from '../../helpers/stuck-device.ts';
import { until } from '../../helpers/until.ts';

const INTERVAL_MS = 100;

/** A board on which every sampler that asks devices has one that answers at the search and may hang from then on. */
function boardWithDevices(root: string): string[] {
  const files = {
    'class/thermal/thermal_zone0/type': 'cpu-thermal\n',
    'class/hwmon/hwmon0/name': 'rpi_volt\n',
    'firmware/devicetree/base/model': 'Raspberry Pi 4 Model B Rev 1.5\0',
  };
  const devices = [
    'devices/system/cpu/cpufreq/policy0/scaling_cur_freq',
    'class/thermal/thermal_zone0/temp',
    'block/sda/stat',
    'class/hwmon/hwmon0/in0_lcrit_alarm',
  ];
  for (const [path, text] of [...Object.entries(files), ...devices.map((path) => [path, '0\n'] as const)]) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return devices.map((path) => join(root, path));
}

const isLinux = process.platform === 'linux' ? {} : { skip: 'there is no /proc' };

t.test('four devices that hang at once hold up no report, no spool and no stop', isLinux, async (t) => {
  const root = t.testdir({ spool: 'bytes' });
  const devices = boardWithDevices(root);
  const samplers = boardSamplers({
    procfs: '/proc',
    sysfs: root,
    dev: join(root, 'dev'),
    ownSystem: false,
    statFileSystem: async () => ({ bsize: 1, blocks: 1, bavail: 1 }),
    clock: systemClock,
    intervalMs: INTERVAL_MS,
    rails: [],
  });
  const sampling = new Sampling({ samplers, intervalMs: INTERVAL_MS, clock: systemClock, log: silentLog });
  await sampling.start();
  const found = sampling.findings().filter((finding) => finding.found);
  t.ok(
    ['cpu', 'load', 'memory', 'storage', 'temperature', 'throttling'].every((name) =>
      found.some(({ subject }) => subject === name),
    ),
  );
  await sampling.round();
  t.ok(sampling.parts().temperature && sampling.parts().throttling, 'all is well');

  const stuck = devices.map((path) => stuckDevice(t, path));
  const tick = async () => {
    const startedMs = systemClock.monotonicMs();
    await sampling.round();
    return systemClock.monotonicMs() - startedMs;
  };
  await until('what hangs is given up', async () => {
    await tick();
    const failed = Object.values(sampling.statuses()).filter(({ problem }) => problem !== undefined);
    return failed.length >= 3;
  });
  let longestMs = 0;
  for (let round = 0; round < 30; round += 1) {
    longestMs = Math.max(longestMs, await tick());
    const spool = readFile(join(root, 'spool'), 'utf8');
    t.equal(await withDeadline(spool, 3000, 'using a file', systemClock), 'bytes');
    // Facts are gathered beside the reports, and search anew.
    for (const sampler of samplers) void sampler.find();
  }
  t.ok(longestMs < 1000, `a report waited ${longestMs} ms at most`);
  const { load, memory, temperature } = sampling.parts();
  t.ok(load && memory, 'what comes from memory is read as ever');
  t.equal(temperature, undefined, 'what hangs is absent');
  t.match(sampling.statuses().temperature?.problem, /reading temperature was given up/);

  await until('what answers again is told again', async () => {
    for (const device of stuck) device.answer('51000\n');
    await tick();
    return sampling.parts().temperature?.temperatureCelsius === 51;
  });
  const startedMs = systemClock.monotonicMs();
  await sampling.stop();
  t.ok(systemClock.monotonicMs() - startedMs < 1000);
});
