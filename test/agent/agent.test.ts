import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Agent, type AgentOptions } from '../../agent/agent.ts';
import type { Sampler } from '../../agent/sampler.ts';
import { ErichtError } from '../../lib/errors.ts';
import { silentLog } from '../../lib/log.ts';
import { reportSchema } from '../../telemetry/report.ts';
import { ManualClock } from '../helpers/manual-clock.ts';
import { MemorySink } from '../helpers/memory-sink.ts';
import { tempDir } from '../helpers/temp.ts';
import { until } from '../helpers/until.ts';

const away = new ErichtError('KAFKA_UNREACHABLE', { what: 'cannot reach Kafka' });

function loadSampler(more: Partial<Sampler> = {}): Sampler {
  let reading = 0;
  return {
    name: 'load',
    periodMs: 1000,
    timeoutMs: 1000,
    find: async () => ({ subject: 'load', found: true, detail: 'here' }),
    sample: async () => ({ load: { oneMinute: reading++, fiveMinutes: 0, fifteenMinutes: 0 } }),
    ...more,
  };
}

async function makeAgent(t: Test, options: Partial<AgentOptions> = {}) {
  const clock = new ManualClock();
  const sink = new MemorySink();
  const bootedMs = clock.monotonicMs() - 90_000.4;
  const agent = new Agent({
    identity: { clusterId: 'case', nodeId: 'node', bootId: 'boot' },
    intervalMs: 1000,
    samplers: [loadSampler()],
    facts: async () => ({ intervalMs: 1000, cores: 4 }),
    sink,
    clock,
    log: silentLog,
    uptimeMs: () => clock.monotonicMs() - bootedMs,
    clockSynchronised: () => true,
    ...options,
  });
  /** Lets time pass until the work is done, and says how much that was. */
  const timed = async (work: Promise<unknown>): Promise<number> => {
    const fromMs = clock.monotonicMs();
    let over = false;
    const ended = () => {
      over = true;
    };
    work.then(ended, ended);
    await until(
      'done',
      async () => {
        await clock.advance(10);
        return over;
      },
      { everyMs: 0 },
    );
    await work;
    return clock.monotonicMs() - fromMs;
  };
  t.teardown(() => timed(agent.stop()));
  return { agent, clock, sink, timed };
}

t.test('a run is reports at the interval, numbered from 0, that fit the contract, and a goodbye', async (t) => {
  const { agent, clock, sink, timed } = await makeAgent(t, {
    identity: { clusterId: 'case', nodeId: 'node', bootId: 'boot', simulated: true },
  });
  await timed(agent.start());
  await clock.advance(3500);
  const took = await timed(agent.stop());
  t.ok(took < 1000, `stopped in ${took} ms`);
  const reports = sink.reports();
  t.same(
    reports.map(({ seq }) => seq),
    [0, 1, 2, 3, 4],
  );
  t.same(
    reports.map(({ goodbye }) => goodbye),
    [undefined, undefined, undefined, undefined, true],
  );
  for (const report of reports) t.ok(reportSchema.safeParse(report).success);
  t.match(reports[1], {
    runId: agent.runId,
    simulated: true,
    intervalMs: 1000,
    drained: false,
    load: { oneMinute: 1 },
  });
  t.same(
    reports.slice(1, 4).map(({ uptimeMs }, index) => uptimeMs - reports[index]!.uptimeMs),
    [1000, 1000, 1000],
  );
  t.equal(reports[0]!.timestamp, Math.round(reports[0]!.timestamp));
  t.notOk(reports[0]!.spool, 'no spool, nothing said of one');
  t.ok(reports[0]!.self);
  t.ok(reports[1]!.self?.sampledAt, 'slower values say when they were read');
  t.same(agent.counts(), { sampled: 5, acknowledged: 5, notSent: 0, waiting: 0 });
  await clock.advance(10_000);
  t.equal(sink.reports().length, 5, 'nothing after the stop');
  t.equal(sink.stopped, 1);
  t.equal(clock.waitingTimers, 0);
});

t.test('it starts and samples with no sink, no sensor and no disk', async (t) => {
  const broken = loadSampler({ sample: () => Promise.reject(new Error('bus error')) });
  const absent = loadSampler({ name: 'docker', find: () => Promise.reject(new Error('no socket')) });
  const spool = { directory: '/proc/nowhere/spool', maxBytes: 1e6, maxAgeMs: 1e9 };
  const { agent, clock, sink, timed } = await makeAgent(t, { samplers: [broken, absent], spool });
  sink.mode = away;
  await timed(agent.start());
  await clock.advance(10_000);
  t.ok(agent.counts().sampled >= 10);
  sink.mode = 'up';
  await clock.advance(5000);
  const report = sink.reports().at(-1)!;
  t.match(report.spool?.problem, /\/proc\/nowhere/);
  t.match(report.self?.samplers.load, { problem: 'bus error' });
  t.match(agent.findings(), [{ found: true }, { found: false, detail: 'no socket' }]);
});

t.test('facts go out at the start, on change, and every 6 hours', async (t) => {
  let cores = 4;
  const { agent, clock, sink, timed } = await makeAgent(t, {
    intervalMs: 60_000,
    facts: async () => ({ intervalMs: 1, cores }),
  });
  await timed(agent.start());
  await clock.advance(1000);
  t.match(sink.facts(), [{ cores: 4, intervalMs: 60_000, runId: agent.runId, nodeId: 'node', schemaVersion: 1 }]);
  await clock.advance(3_600_000);
  t.equal(sink.facts().length, 1, 'nothing has changed');
  cores = 8;
  await clock.advance(3_600_000);
  t.same(
    sink.facts().map(({ cores }) => cores),
    [4, 8],
  );
  await clock.advance(6.5 * 3_600_000);
  t.equal(sink.facts().length, 3);
});

t.test('facts that cannot be gathered stop nothing', async (t) => {
  const { agent, clock, sink, timed } = await makeAgent(t, { facts: () => Promise.reject(new Error('no /proc')) });
  await timed(agent.start());
  await clock.advance(2500);
  t.equal(sink.facts().length, 0);
  t.ok(sink.reports().length >= 3);
});

t.test('wall time that steps moves neither the pace nor what is live', async (t) => {
  const { agent, clock, sink, timed } = await makeAgent(t);
  await timed(agent.start());
  await clock.advance(2000);
  clock.jumpWall(-3_600_000);
  await clock.advance(2000);
  clock.jumpWall(300 * 86_400_000);
  await clock.advance(2000);
  const reports = sink.reports();
  t.same(
    reports.map(({ seq }) => seq),
    [...reports.keys()],
  );
  t.ok(reports.length >= 6);
  t.ok(reports.every(({ drained }) => !drained));
});

t.test('one report alone comes of two samplings a second apart, and nothing is sent', async (t) => {
  const { agent, clock, sink, timed } = await makeAgent(t);
  const once = agent.sampleOnce();
  const took = await timed(once);
  t.ok(took >= 1000 && took < 1500, `${took} ms`);
  t.match(await once, { seq: 0, load: { oneMinute: 1 }, claim: { unacknowledged: [], dropped: [] } });
  t.equal(sink.attempts, 0);
  t.equal(clock.waitingTimers, 0);
});

t.test('one agent to a state directory', async (t) => {
  const spool = { directory: join(await tempDir(t), 'spool'), maxBytes: 1e6, maxAgeMs: 1e9 };
  const first = await makeAgent(t, { spool });
  await first.timed(first.agent.start());
  const second = await makeAgent(t, { spool });
  await t.rejects(second.timed(second.agent.start()), { code: 'STATE_DIR_TAKEN' });
  await second.timed(second.agent.stop());
  await first.clock.advance(2000);
  t.ok(first.sink.reports().length >= 2, 'the first goes on');
  await first.timed(first.agent.stop());
  t.same(await readdir(spool.directory), [], 'and leaves nothing behind');
  const third = await makeAgent(t, { spool });
  await third.timed(third.agent.start());
});

t.test('a stop during the start leaves nothing running', async (t) => {
  const slow = loadSampler({ find: () => new Promise(() => {}) });
  const { agent, clock, sink, timed } = await makeAgent(t, { samplers: [slow] });
  const starting = agent.start();
  await timed(agent.stop());
  await timed(starting);
  await clock.advance(20_000);
  t.equal(sink.reports().length, 0);
  t.equal(agent.counts().sampled, 0);
});
