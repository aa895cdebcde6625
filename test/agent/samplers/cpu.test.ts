import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { ProcCpuSampler, parseStat } from '../../../agent/samplers/cpu.ts';
import { CpuUsage } from '../../../agent/samplers/cpu-usage.ts';
import { OsCpuSampler } from '../../../agent/samplers/os-cpu.ts';

const never = new AbortController().signal;

function snapshot(busy: number, total: number, cores = 1) {
  return { all: { busy, total }, cores: new Map(Array.from({ length: cores }, (_, core) => [core, { busy, total }])) };
}

t.test('idle and waiting for a disk are not use, guest time is not counted twice', async (t) => {
  const { all, cores } = parseStat('cpu  100 10 50 800 40 5 5 10 60 1\ncpu0 1 0 0 9 0 0 0 0 0 0\nintr 5 cpu 1\n');
  t.same(all, { total: 1020, busy: 180 });
  t.same([...cores], [[0, { total: 10, busy: 1 }]]);
  t.throws(() => parseStat('intr 5\n'), { message: /no line "cpu"/ });
});

t.test('the first reading after a search has a ratio, one without any search has none', async (t) => {
  const searched = new CpuUsage(1);
  searched.begin(snapshot(0, 100));
  t.same(searched.next(snapshot(25, 200)), { usageRatio: 0.25, coreUsageRatios: [0.25] });
  t.equal(new CpuUsage(1).next(snapshot(25, 200)), undefined);
});

t.test('a repeated search does not shorten the next reading', async (t) => {
  const usage = new CpuUsage(1);
  usage.begin(snapshot(0, 100));
  usage.begin(snapshot(90, 190));
  t.match(usage.next(snapshot(100, 200)), { usageRatio: 1 });
});

t.test('over less than a tenth of a second the last ratio stands', async (t) => {
  const usage = new CpuUsage(1);
  usage.begin(snapshot(0, 0));
  t.match(usage.next(snapshot(50, 100)), { usageRatio: 0.5 });
  t.match(usage.next(snapshot(59, 109)), { usageRatio: 0.5 }, '9 steps');
  t.match(usage.next(snapshot(70, 120)), { usageRatio: 1 }, 'since the last that counted: 20 of 20');
});

t.test('counters that run backwards give no ratio, and no ratio leaves 0 to 1', async (t) => {
  const usage = new CpuUsage(1);
  usage.begin(snapshot(500, 1000));
  t.equal(usage.next(snapshot(10, 20)), undefined);
  t.match(usage.next(snapshot(300, 220)), { usageRatio: 1 });
  t.match(usage.next(snapshot(200, 420)), { usageRatio: 0 });
});

t.test('a core that was offline is left out, not counted as idle', async (t) => {
  const usage = new CpuUsage(1);
  usage.begin(snapshot(0, 0, 1));
  t.equal(usage.next(snapshot(50, 100, 2))?.coreUsageRatios?.length, 1);
  t.equal(usage.next(snapshot(100, 200, 2))?.coreUsageRatios?.length, 2);
});

t.test('a machine with many frequency domains is not asked for each', async (t) => {
  const domains = (count: number) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, index) => [`policy${index}`, { scaling_cur_freq: '1500000\n' }]),
    );
  const root = t.testdir({
    proc: { stat: 'cpu  0 0 0 0\ncpu0 0 0 0 0\n' },
    few: { devices: { system: { cpu: { cpufreq: domains(3) } } } },
    many: { devices: { system: { cpu: { cpufreq: domains(16) } } } },
  });
  const frequency = async (sysfs: string) => {
    writeFileSync(join(root, 'proc/stat'), 'cpu  0 0 0 0\ncpu0 0 0 0 0\n');
    const sampler = new ProcCpuSampler({ procfs: join(root, 'proc'), sysfs: join(root, sysfs) }, 1000);
    await sampler.find();
    writeFileSync(join(root, 'proc/stat'), 'cpu  50 0 0 50\ncpu0 50 0 0 50\n');
    return (await sampler.sample(never)).cpu?.frequencyHertz;
  };
  t.equal(await frequency('few'), 1.5e9);
  t.equal(await frequency('many'), undefined);
  t.equal(await frequency('none'), undefined);
});

t.test('where there is no /proc the system tells the times', async (t) => {
  let user = 0;
  let idle = 0;
  const core = () => ({ model: '', speed: 0, times: { user, nice: 0, sys: 0, idle, irq: 0 } });
  const sampler = new OsCpuSampler(1000, () => [core(), core()]);
  t.match(await sampler.find(), { found: true, detail: '2 cores' });
  user = 300;
  idle = 700;
  t.same(await sampler.sample(), { cpu: { usageRatio: 0.3, coreUsageRatios: [0.3, 0.3] } });
  t.match(await new OsCpuSampler(1000, () => []).find(), { found: false });
  t.match(await new OsCpuSampler(1000).find(), { found: true, detail: `${cpus().length} cores` });
});
