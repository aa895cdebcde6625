import t from 'tap';
import type { Sampler } from '../../../agent/sampler.ts';
import { boardSamplers } from '../../../agent/samplers/board-samplers.ts';
import { FirstFound } from '../../../agent/samplers/first-found.ts';
import { OsLoadSampler } from '../../../agent/samplers/os-load.ts';
import { OsMemorySampler } from '../../../agent/samplers/os-memory.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';

const never = new AbortController().signal;

function sampler(detail: string, found: () => boolean): Sampler {
  return {
    name: 'load',
    periodMs: 1000,
    timeoutMs: 1000,
    find: async () => ({ subject: 'load', found: found(), detail }),
    sample: async () => ({ load: { oneMinute: detail.length, fiveMinutes: 0, fifteenMinutes: 0 } }),
  };
}

t.test('the first way that is there is used, and a better one that appears replaces it', async (t) => {
  let kernel = false;
  const both = new FirstFound([sampler('kernel', () => kernel), sampler('os', () => true)]);
  t.same(await both.sample(never), {}, 'nothing before a search');
  t.match(await both.find(), { found: true, detail: 'os' });
  t.match(await both.sample(never), { load: { oneMinute: 2 } });
  kernel = true;
  t.match(await both.find(), { found: true, detail: 'kernel' });
  t.match(await both.sample(never), { load: { oneMinute: 6 } });
});

t.test('where no way is there, the reason is that of the expected one', async (t) => {
  const none = new FirstFound([sampler('no /proc', () => false), sampler('no os', () => false)]);
  t.match(await none.find(), { found: false, detail: 'no /proc' });
  t.same(await none.sample(never), {});
});

t.test('the system itself tells load and memory where it can', async (t) => {
  t.match(await new OsLoadSampler(1000, 'darwin').find(), { found: true });
  t.match(await new OsLoadSampler(1000, 'win32').find(), { found: false });
  t.match(await new OsLoadSampler(1000, 'darwin').sample(), { load: { oneMinute: Number } });
  const { memory } = await new OsMemorySampler(1000).sample();
  t.ok(memory && memory.availableBytes > 0 && memory.availableBytes <= memory.totalBytes);
});

t.test(
  'a tree in which nothing is makes everything absent with a reason, and takes nothing from this machine',
  async (t) => {
    const root = t.testdir({ empty: {} });
    const roots = { procfs: `${root}/empty`, sysfs: `${root}/empty`, dev: `${root}/empty` };
    const options = {
      ...roots,
      clock: new ManualClock(),
      intervalMs: 1000,
      rails: [],
      dockerSockets: [`${root}/none.sock`],
    };
    for (const one of boardSamplers(options)) {
      const { found, detail } = await one.find();
      t.equal(found, false, one.name);
      t.match(detail, /\w+ \w+/, detail);
    }
  },
);
