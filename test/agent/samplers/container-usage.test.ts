import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ContainerUsage } from '../../../agent/samplers/container-usage.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';

const never = new AbortController().signal;

/** What the root of cgroup v2 has and no root of v1 has. */
const unified = { fs: { cgroup: { 'cgroup.controllers': 'cpu memory' } } };

function write(directory: string, microseconds: number, memory?: { current: number; cache: number }) {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'cpu.stat'), `usage_usec ${microseconds}\nuser_usec 1\nsystem_usec 2\n`);
  if (!memory) return;
  writeFileSync(join(directory, 'memory.current'), `${memory.current}\n`);
  writeFileSync(join(directory, 'memory.stat'), `anon 5\ninactive_file ${memory.cache}\nactive_file 7\n`);
}

t.test("usage comes from the container's cgroup, with either of the engine's drivers", async (t) => {
  const root = t.testdir(unified);
  const clock = new ManualClock();
  const usage = new ContainerUsage(root, clock);
  const systemd = join(root, 'fs/cgroup/system.slice/docker-aaa.scope');
  const cgroupfs = join(root, 'fs/cgroup/docker/bbb');
  write(systemd, 1_000_000, { current: 50_000, cache: 20_000 });
  write(cgroupfs, 0);
  t.same(Object.fromEntries(await usage.read(['aaa', 'bbb', 'ccc'], never)), { aaa: { memoryBytes: 30_000 }, bbb: {} });
  await clock.advance(10_000);
  write(systemd, 16_000_000, { current: 10, cache: 20 });
  write(cgroupfs, 500_000);
  t.same(Object.fromEntries(await usage.read(['aaa', 'bbb'], never)), {
    aaa: { cpuUsageRatio: 1.5, memoryBytes: 0 },
    bbb: { cpuUsageRatio: 0.05 },
  });
});

t.test('a restarted container begins anew, an ended one is absent', async (t) => {
  const root = t.testdir(unified);
  const clock = new ManualClock();
  const usage = new ContainerUsage(root, clock);
  const directory = join(root, 'fs/cgroup/docker/aaa');
  write(directory, 9_000_000);
  await usage.read(['aaa'], never);
  await clock.advance(10_000);
  write(directory, 1000);
  t.same((await usage.read(['aaa'], never)).get('aaa'), {}, 'no negative ratio');
  rmSync(directory, { recursive: true });
  t.same((await usage.read(['aaa'], never)).get('aaa'), {});
  t.equal((await usage.read(['aaa'], never)).has('aaa'), false);
});

t.test('where cgroup v1 is mounted nothing is read', async (t) => {
  const root = t.testdir({});
  write(join(root, 'fs/cgroup/docker/aaa'), 1000, { current: 50_000, cache: 0 });
  t.equal((await new ContainerUsage(root, new ManualClock()).read(['aaa'], never)).size, 0);
});

t.test('what is not named keeps its last reading until it is forgotten', async (t) => {
  const root = t.testdir(unified);
  const clock = new ManualClock();
  const usage = new ContainerUsage(root, clock);
  for (const id of ['aaa', 'bbb']) write(join(root, 'fs/cgroup/docker', id), 0);
  await usage.read(['aaa', 'bbb'], never);
  await clock.advance(5000);
  write(join(root, 'fs/cgroup/docker/bbb'), 1_000_000);
  t.same((await usage.read(['bbb'], never)).get('bbb'), { cpuUsageRatio: 0.2 });
  await clock.advance(5000);
  write(join(root, 'fs/cgroup/docker/aaa'), 1_000_000);
  t.same((await usage.read(['aaa'], never)).get('aaa'), { cpuUsageRatio: 0.1 }, 'over the 10 s since its own reading');
  usage.keepOnly(['bbb']);
  t.same((await usage.read(['aaa'], never)).get('aaa'), {});
});
