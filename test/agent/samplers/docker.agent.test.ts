import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { Agent } from '../../../agent/agent.ts';
import { gatherFacts } from '../../../agent/facts.ts';
import { DockerSampler } from '../../../agent/samplers/docker.ts';
import { systemClock } from '../../../lib/clock.ts';
import { silentLog } from '../../../lib/log.ts';
import type { Report } from '../../../telemetry/report.ts';
import { type DockerEngine, ownDockerEngine, whyNoEngine } from '../../helpers/docker-engine.ts';
import { buildShellImage } from '../../helpers/local-images.ts';
import { MemorySink } from '../../helpers/memory-sink.ts';
import { tempDir } from '../../helpers/temp.ts';
import { until } from '../../helpers/until.ts';

const missing = await whyNoEngine();
if (missing && process.env.CI === 'true') throw new Error(missing);

const IMAGE = 'shell:test';
/** A report is made once a second, and one that is due just after a change comes too early. */
const REPORTS_UNTIL_SHOWN = 3;

type Section = NonNullable<Report['docker']>;

/** An agent at 1 Hz that reads nothing but this engine. */
async function startAgent(t: Test, socketPath: string) {
  const sink = new MemorySink();
  const samplers = [new DockerSampler({ clock: systemClock, sysfs: '/sys', socketPaths: [socketPath] })];
  const roots = { procfs: '/proc', sysfs: '/sys' };
  const agent = new Agent({
    identity: { clusterId: 'case', nodeId: 'board', bootId: 'boot' },
    intervalMs: 1000,
    samplers,
    facts: () => gatherFacts({ ...roots, intervalMs: 1000, samplers, versions: {}, clock: systemClock }),
    sink,
    clock: systemClock,
    log: silentLog,
    uptimeMs: () => Math.round(systemClock.monotonicMs()),
    clockSynchronised: () => true,
  });
  t.teardown(() => agent.stop());
  await agent.start();
  const sections = () => sink.reports().map(({ docker }) => docker);
  const last = () => JSON.stringify(sections().at(-1));
  /** The first report from now on that says so. */
  const shown = async (what: string, holds: (docker: Section) => boolean, limitMs = 20_000) => {
    const from = sections().length;
    const find = () => {
      const index = sections().findIndex((docker, at) => at >= from && docker !== undefined && holds(docker));
      return index === -1 ? undefined : { docker: sections()[index] as Section, later: index - from + 1 };
    };
    return until(what, find, { limitMs }).catch((error) => {
      throw new Error(`${error.message}; the last report says ${last()}`);
    });
  };
  /** As shown(), and not later than the third report after now. */
  const soon = async (t: Test, what: string, holds: (docker: Section) => boolean) => {
    const { docker, later } = await shown(what, holds);
    t.ok(later <= REPORTS_UNTIL_SHOWN, `${what}: in report ${later} after it happened`);
    return docker;
  };
  return { sink, shown, soon };
}

const named = (docker: Section, name: string) => docker.containers?.find((one) => one.name === name);

async function engineWithImage(t: Test): Promise<DockerEngine> {
  const engine = await ownDockerEngine(t);
  await buildShellImage(engine, IMAGE, join(await tempDir(t), 'shell'));
  return engine;
}

const run = (engine: DockerEngine, name: string, options: string[], ...command: string[]) =>
  engine.docker('run', '--detach', '--network', 'none', '--name', name, ...options, IMAGE, ...command);

test('what becomes of containers shows within seconds', { skip: missing ?? false }, async (t) => {
  const engine = await engineWithImage(t);
  await run(engine, 'before', [], 'sleep', '1000');
  const { soon, shown } = await startAgent(t, engine.socketPath);

  const { docker: first } = await shown(
    'the container that is already there',
    (docker) => docker.runningContainers === 1,
  );
  t.match(first, { engine: 'running', version: /^\d+\./, swarmRole: 'none' });
  t.match(named(first, 'before'), { state: 'running', restarts: 0, image: IMAGE });

  await t.test('started, paused, renamed, stopped, started again, removed', async (t) => {
    await run(engine, 'one', [], 'sh', '-c', 'sleep 1000');
    await soon(t, 'started', (docker) => named(docker, 'one')?.state === 'running' && docker.runningContainers === 2);
    await engine.docker('pause', 'one');
    await soon(t, 'paused', (docker) => named(docker, 'one')?.state === 'paused' && docker.runningContainers === 1);
    await engine.docker('unpause', 'one');
    await soon(t, 'goes on', (docker) => named(docker, 'one')?.state === 'running');
    await engine.docker('rename', 'one', 'other');
    await soon(t, 'renamed', (docker) => named(docker, 'other') !== undefined && !named(docker, 'one'));
    await engine.docker('kill', 'other');
    await soon(t, 'stopped', (docker) => named(docker, 'other')?.state === 'exited' && docker.runningContainers === 1);
    await engine.docker('start', 'other');
    await soon(t, 'started again', (docker) => named(docker, 'other')?.state === 'running');
    await engine.docker('rm', '--force', 'other');
    await soon(t, 'removed', (docker) => docker.containers?.length === 1);
  });

  await t.test('healthy and unhealthy, as its own check says', async (t) => {
    const check = ['--health-cmd', 'cat /tmp/well', '--health-interval', '1s', '--health-retries', '1'];
    await run(engine, 'checked', check, 'sh', '-c', 'touch /tmp/well; sleep 1000');
    await shown('healthy', (docker) => named(docker, 'checked')?.health === 'healthy');
    await engine.docker('exec', 'checked', 'rm', '/tmp/well');
    const isUnhealthy = async () => /\(unhealthy\)/.test(await engine.docker('ps', '--filter', 'name=checked'));
    await until('the engine calls it unhealthy', isUnhealthy, { everyMs: 100 });
    const sick = await soon(t, 'unhealthy', (docker) => named(docker, 'checked')?.health === 'unhealthy');
    t.equal(named(sick, 'checked')?.state, 'running');
    t.equal(named(sick, 'before')?.health, undefined, 'a container without a check has no health');
  });

  await t.test('restarts by its policy are counted', async (t) => {
    await run(engine, 'failing', ['--restart', 'on-failure:2'], 'sh', '-c', 'sleep 0.2; exit 1');
    const { docker: given } = await shown('given up', (docker) => named(docker, 'failing')?.state === 'exited');
    t.match(named(given, 'failing'), { state: 'exited', restarts: 2 });
  });
});

test('an engine that is stopped is told with its reason, and is back within seconds of its return', {
  skip: missing ?? false,
}, async (t) => {
  const engine = await engineWithImage(t);
  await run(engine, 'lasting', ['--restart', 'always'], 'sleep', '1000');
  const { sink, shown, soon } = await startAgent(t, engine.socketPath);
  await shown('running', (docker) => docker.runningContainers === 1);
  const finding = () =>
    sink
      .facts()
      .at(-1)
      ?.findings?.find(({ subject }) => subject === 'docker')?.detail;

  await engine.stop();
  t.same(
    await soon(t, 'stopped', (docker) => docker.engine === 'stopped'),
    { engine: 'stopped' },
    'no counts are made up',
  );
  await until('the reason is in the facts', () => /was stopped|is not running/.test(finding() ?? ''));

  await t.test('a socket that systemd holds for a stopped engine is left alone', async (t) => {
    await rm(engine.socketPath, { force: true });
    let connections = 0;
    const systemd = createServer((socket) => {
      connections += 1;
      socket.destroy();
    }).listen(engine.socketPath);
    await once(systemd, 'listening');
    const from = sink.reports().length;
    await until('three more reports', () => sink.reports().length >= from + 3);
    t.equal(connections, 0, 'a connection would start the engine that somebody has stopped');
    systemd.close();
    await once(systemd, 'close');
  });

  await engine.start();
  const { docker: back } = await shown('back', (docker) => docker.engine === 'running', 6000);
  t.match(back, { version: /^\d+\./, swarmRole: 'none' });
  await shown('its containers, too', (docker) => docker.runningContainers === 1);
  await until('the reason is gone', () => /^Docker \d+\./.test(finding() ?? ''));

  await t.test('one that hangs is no running engine either', async (t) => {
    engine.freeze();
    t.teardown(() => engine.thaw());
    await shown('stopped', (docker) => docker.engine === 'stopped' && !('containers' in docker), 30_000);
    await until('the reason says that it hangs', () => /does not answer within 5 s/.test(finding() ?? ''));
    engine.thaw();
    await shown('back', (docker) => docker.engine === 'running' && docker.runningContainers === 1, 15_000);
  });
  t.equal(sink.reports().at(-1)?.self?.samplers.docker?.failures, 0, 'none of this is a failure of the sampler');
});

test('the role in a swarm is that of the engine', { skip: missing ?? false }, async (t) => {
  const engine = await ownDockerEngine(t);
  const { shown } = await startAgent(t, engine.socketPath);
  const role = async (swarmRole: string, limitMs?: number) =>
    (await shown(swarmRole, (docker) => docker.swarmRole === swarmRole, limitMs)).docker.swarmRole;
  t.equal(await role('none'), 'none');
  await engine.docker('swarm', 'init', '--advertise-addr', '127.0.0.1');
  t.equal(await role('manager', 10_000), 'manager');
  await engine.docker('swarm', 'leave', '--force');
  // No event tells of it: the list that is made once a minute does.
  t.equal(await role('none', 75_000), 'none');
});
