import t, { type Test } from 'tap';
import { type Job, Jobs } from '../../collector/jobs.ts';
import { systemClock } from '../../lib/clock.ts';
import { recordingLog } from '../helpers/kafka-records.ts';
import { until } from '../helpers/until.ts';

const EVERY_SECOND = '* * * * * *';

async function started(t: Test, job: Omit<Job, 'name'>) {
  const log = recordingLog();
  const jobs = new Jobs({ jobs: [{ name: 'the job', ...job }], clock: systemClock, log });
  t.teardown(() => jobs.stop());
  await jobs.start();
  return { jobs, log };
}

t.test('a job runs on its schedule, and never again after stop', async (t) => {
  let runs = 0;
  const run = async () => {
    runs += 1;
  };
  const { jobs } = await started(t, { schedule: EVERY_SECOND, run });
  await until('it ran twice', () => runs >= 2);
  await jobs.stop();
  const before = runs;
  jobs.clockStepped();
  t.equal(runs, before);
});

t.test('a job never runs twice at once', async (t) => {
  const gate = Promise.withResolvers<void>();
  let runs = 0;
  const run = () => {
    runs += 1;
    return gate.promise;
  };
  const { jobs } = await started(t, { schedule: '0 0 1 1 *', run });
  jobs.clockStepped();
  jobs.clockStepped();
  t.equal(runs, 1);
  gate.resolve();
  await until('it runs again', () => {
    jobs.clockStepped();
    return runs === 2;
  });
});

t.test('after a step of the clock a job runs at once: its time may have been jumped over', async (t) => {
  let runs = 0;
  const run = async () => {
    runs += 1;
  };
  const { jobs } = await started(t, { schedule: '0 0 1 1 *', run });
  jobs.clockStepped();
  t.equal(runs, 1);
});

t.test('a job that fails is told of once, runs again, and is told of when it works', async (t) => {
  let fails = true;
  const run = async () => {
    if (fails) throw new Error('the disk is on fire');
  };
  const { jobs, log } = await started(t, { schedule: '0 0 1 1 *', run });
  for (let i = 0; i < 20; i += 1) {
    jobs.clockStepped();
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.strictSame(
    log.lines.map(({ message }) => message),
    ['the job failed: the disk is on fire'],
  );
  fails = false;
  jobs.clockStepped();
  await until('it says so', () => log.lines.at(-1)?.message === 'the job works again');
});

t.test('stop does not wait for ever for a job that hangs', async (t) => {
  const { jobs, log } = await started(t, { schedule: '0 0 1 1 *', run: () => new Promise(() => {}) });
  jobs.clockStepped();
  await jobs.stop();
  t.match(log.lines, [{ level: 'warn' }]);
});
