import t from 'tap';
import type { Finding, ReportPart, Sampler } from '../../agent/sampler.ts';
import { Sampling } from '../../agent/sampling.ts';
import { silentLog } from '../../lib/log.ts';
import { ManualClock } from '../helpers/manual-clock.ts';

interface Stand extends Sampler {
  readings: number;
  looks: number;
}

function sampler(
  name: string,
  sample: (reading: number, signal: AbortSignal) => Promise<ReportPart>,
  more: Partial<Sampler> = {},
): Stand {
  const self: Stand = {
    name,
    periodMs: 1000,
    timeoutMs: 2000,
    readings: 0,
    looks: 0,
    async find(): Promise<Finding> {
      self.looks += 1;
      return { subject: name, found: true, detail: 'here' };
    },
    sample(signal) {
      self.readings += 1;
      return sample(self.readings, signal);
    },
    ...more,
  };
  return self;
}

const load = (oneMinute: number): ReportPart => ({ load: { oneMinute, fiveMinutes: 0, fifteenMinutes: 0 } });
const docker = (runningContainers: number): ReportPart => ({ docker: { runningContainers, containers: [] } });
const never = () => new Promise<ReportPart>(() => {});

async function started(samplers: Sampler[], intervalMs = 1000) {
  const clock = new ManualClock();
  let changes = 0;
  const findingsChanged = () => (changes += 1);
  const sampling = new Sampling({ samplers, intervalMs, clock, log: silentLog, findingsChanged });
  const starting = sampling.start();
  await clock.advance(1000);
  await starting;
  /** One round, and how long it held up the report. */
  const round = async () => {
    const fromMs = clock.monotonicMs();
    let tookMs: number | undefined;
    void sampling.round().then(() => (tookMs = clock.monotonicMs() - fromMs));
    for (let waited = 0; tookMs === undefined && waited < intervalMs; waited += 10) await clock.advance(10);
    return tookMs;
  };
  return { clock, sampling, round, changes: () => changes };
}

t.test('a value read for this very report has no sampledAt, a slower one is repeated with it', async (t) => {
  const fast = sampler('load', async (n) => load(n));
  const slow = sampler('docker', async (n) => docker(n), { periodMs: 10_000 });
  const { clock, sampling, round } = await started([fast, slow]);
  await round();
  t.same(sampling.parts(), { ...load(1), ...docker(1) });
  const readAt = clock.now();
  await clock.advance(1000);
  await round();
  const parts = sampling.parts();
  t.same(parts.load, load(2).load);
  t.equal(parts.docker?.runningContainers, 1);
  t.ok(Math.abs((parts.docker?.sampledAt as number) - readAt) <= 20, 'the time of its reading');
  for (let n = 0; n < 9; n += 1) {
    await clock.advance(1000);
    await round();
  }
  t.equal(slow.readings, 2, 'read at its own pace');
});

t.test(
  'a sampler that hangs holds up one report for a moment, later ones not at all, and the others go on',
  async (t) => {
    const hung = sampler('docker', never);
    const fast = sampler('load', async (n) => load(n));
    const { clock, sampling, round } = await started([hung, fast]);
    t.equal(await round(), 250, 'the first report waits a quarter of its interval');
    t.same(sampling.parts(), load(1));
    for (let n = 2; n < 6; n += 1) {
      await clock.advance(1000);
      t.equal(await round(), 0, 'the next ones wait no more');
      t.same(sampling.parts(), load(n));
    }
    t.equal(hung.readings, 1, 'a reading that has not ended is not begun again');
    t.match(sampling.statuses().docker, { failures: 1, problem: /no answer within 2000 ms/ });
  },
);

t.test('the signal is aborted at the timeout, and a reading that then ends makes room for the next', async (t) => {
  const hung = sampler('docker', (n, signal) =>
    n > 1
      ? Promise.resolve(docker(n))
      : new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')))),
  );
  const { clock, sampling, round } = await started([hung]);
  await round();
  await clock.advance(3000);
  await round();
  t.same(sampling.parts(), docker(2));
  t.match(sampling.statuses().docker, { failures: 1, problem: undefined });
});

t.test('a failed reading takes its value out of the report at once and is counted', async (t) => {
  const failing = sampler('docker', async (n) => {
    if (n === 2) throw new Error('engine stopped');
    return docker(n);
  });
  const sync = sampler('load', () => {
    throw new Error('threw before it was a promise');
  });
  const { clock, sampling, round } = await started([failing, sync]);
  await round();
  t.same(sampling.parts(), docker(1));
  await clock.advance(1000);
  await round();
  t.same(sampling.parts(), {}, 'absent, not old');
  t.match(sampling.statuses(), { docker: { failures: 1, problem: 'engine stopped' }, load: { failures: 2 } });
  await clock.advance(1000);
  await round();
  t.same(sampling.parts(), docker(3));
  t.notOk(sampling.statuses().docker?.problem);
});

t.test('a value is repeated for at most two of its periods', async (t) => {
  const once = sampler('docker', (n) => (n === 1 ? Promise.resolve(docker(1)) : never()), {
    periodMs: 5000,
    timeoutMs: 60_000,
  });
  const { clock, sampling, round } = await started([once]);
  await round();
  await clock.advance(9000);
  await round();
  t.equal(sampling.parts().docker?.runningContainers, 1);
  await clock.advance(2000);
  await round();
  t.notOk(sampling.parts().docker, 'too old');
});

t.test('what is absent is not read and is no failure; it is looked for again after a minute, and told', async (t) => {
  let there = false;
  const late = sampler('docker', async (n) => docker(n), {
    find: async () => ({ subject: 'docker', found: there, detail: there ? 'Docker 27' : 'no socket' }),
  });
  const { clock, sampling, round, changes } = await started([late]);
  await round();
  t.same(sampling.findings(), [{ subject: 'docker', found: false, detail: 'no socket' }]);
  t.same(sampling.statuses(), {});
  t.equal(late.readings, 0);
  there = true;
  await clock.advance(30_000);
  await round();
  t.equal(late.readings, 0, 'not looked for before a minute has passed');
  await clock.advance(30_000);
  await round();
  await clock.advance(1000);
  await round();
  t.ok(late.readings > 0);
  t.equal(changes(), 1);
});

t.test('what fails again and again is looked for, and absent when it is gone', async (t) => {
  let there = true;
  const gone = sampler('docker', async () => Promise.reject(new Error('ENOENT')), {
    find: async () => ({ subject: 'docker', found: there, detail: there ? 'here' : 'no socket' }),
  });
  const { clock, sampling, round, changes } = await started([gone]);
  there = false;
  for (let n = 0; n < 70; n += 1) {
    await round();
    await clock.advance(990);
  }
  t.same(sampling.findings(), [{ subject: 'docker', found: false, detail: 'no socket' }]);
  t.equal(changes(), 1);
  t.ok(gone.readings < 70, 'and is not read any more');
});

t.test('a search that throws or hangs is an absence with its reason, and start does not wait for it', async (t) => {
  const throwing = sampler('a', async () => ({}), { find: () => Promise.reject(new Error('bus error')) });
  const hanging = sampler('b', async () => ({}), { find: () => new Promise(() => {}) });
  const { clock, sampling } = await started([throwing, hanging]);
  await clock.advance(10_000);
  t.match(sampling.findings(), [
    { found: false, detail: 'bus error' },
    { found: false, detail: /no answer within/ },
  ]);
});

t.test('rails of several samplers stand beside each other', async (t) => {
  const rail = (label: string) => ({ label, measures: 'board' as const, source: 'simulated' as const });
  const { sampling, round } = await started([
    sampler('rails', async () => ({ rails: [rail('board')] })),
    sampler('battery', async () => ({ rails: [rail('battery')] })),
  ]);
  await round();
  t.same(
    sampling.parts().rails?.map(({ label }) => label),
    ['board', 'battery'],
  );
});

t.test('stop asks every sampler to stop, also after one that fails or hangs', async (t) => {
  const stopped: string[] = [];
  const stopping = (name: string, stop: () => Promise<void>) =>
    sampler(name, async () => ({}), {
      stop() {
        stopped.push(name);
        return stop();
      },
    });
  const { clock, sampling } = await started([
    stopping('a', () => Promise.reject(new Error('no'))),
    stopping('b', () => new Promise(() => {})),
    stopping('c', async () => {}),
  ]);
  const stop = sampling.stop();
  await clock.advance(500);
  await stop;
  t.same(stopped, ['a', 'b', 'c']);
});

t.test('a search that hangs is given up, but not begun a second time beside itself', async (t) => {
  let answer = (_: Finding) => {};
  const stuck: Stand = sampler('temperature', async () => load(1));
  stuck.find = () => {
    stuck.looks += 1;
    return new Promise((resolve) => (answer = resolve));
  };
  const { clock, sampling, round } = await started([stuck]);
  for (let minute = 0; minute < 5; minute += 1) {
    await clock.advance(60_000);
    await round();
  }
  t.equal(stuck.looks, 1);
  t.match(sampling.findings(), [{ found: false, detail: /no answer within 10000 ms/ }]);
  answer({ subject: 'temperature', found: true, detail: 'late, but here' });
  await clock.advance(1000);
  t.match(sampling.findings(), [{ found: true, detail: 'late, but here' }]);
});
