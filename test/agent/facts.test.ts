import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { gatherFacts } from '../../agent/facts.ts';
import type { Sampler } from '../../agent/sampler.ts';
import { systemClock } from '../../lib/clock.ts';
import { factsSchema } from '../../telemetry/facts.ts';
import { ManualClock } from '../helpers/manual-clock.ts';

const sampler = (name: string, more: Partial<Sampler> = {}): Sampler => ({
  name,
  periodMs: 1000,
  timeoutMs: 1000,
  find: async () => ({ subject: name, found: true, detail: 'here' }),
  sample: async () => ({}),
  ...more,
});

const empty = (t: Test) => {
  const root = t.testdir({ proc: {}, sys: {} });
  return { procfs: join(root, 'proc'), sysfs: join(root, 'sys') };
};

t.test('what can not be read is absent, and nothing of this machine stands in for another', async (t) => {
  const facts = await gatherFacts({
    ...empty(t),
    intervalMs: 1000,
    samplers: [],
    versions: { ericht: '0.1.0' },
    findings: [{ subject: 'clock', found: true, detail: 'assumed' }],
    clock: new ManualClock(),
  });
  t.same(facts, {
    intervalMs: 1000,
    architecture: process.arch,
    versions: { node: process.versions.node, ericht: '0.1.0' },
    findings: [
      { subject: 'board', found: false, detail: 'the system tells no model' },
      { subject: 'clock', found: true, detail: 'assumed' },
    ],
  });
});

t.test('samplers add what they know; one that hangs or throws in its search does not hold up the rest', async (t) => {
  const clock = new ManualClock();
  const gathering = gatherFacts({
    ...empty(t),
    intervalMs: 1000,
    samplers: [
      sampler('docker', { facts: () => ({ versions: { docker: '28.2.2' } }) }),
      sampler('rails', { facts: () => ({ rails: [{ label: 'board', measures: 'board', source: 'i2c' }] }) }),
      sampler('stuck', { find: () => new Promise(() => {}) }),
      sampler('broken', { find: () => Promise.reject(new Error('x'.repeat(400))) }),
    ],
    versions: {},
    clock,
  });
  await clock.advance(10_000);
  const facts = await gathering;
  t.match(facts.versions, { docker: '28.2.2' });
  t.match(facts.rails, [{ label: 'board' }]);
  t.match(facts.findings?.slice(1), [
    { subject: 'docker', found: true },
    { subject: 'rails', found: true },
    { subject: 'stuck', found: false, detail: /no answer within/ },
    { subject: 'broken', found: false, detail: 'x'.repeat(255) },
  ]);
});

t.test('this very machine gives facts that the contract takes', async (t) => {
  const facts = await gatherFacts({
    procfs: '/proc',
    sysfs: '/sys',
    intervalMs: 1000,
    samplers: [],
    versions: {},
    clock: systemClock,
  });
  t.ok(factsSchema.partial().safeParse(facts).success);
  t.ok((facts.cores ?? 0) > 0 && (facts.memoryBytes ?? 0) > 0 && facts.kernel);
});

t.test('a board tells its profile and what it draws at most; one without a device tree tells neither', async (t) => {
  const roots = empty(t);
  const gather = () =>
    gatherFacts({ ...roots, intervalMs: 1000, samplers: [], versions: {}, clock: new ManualClock() });
  mkdirSync(join(roots.sysfs, 'firmware/devicetree/base'), { recursive: true });
  writeFileSync(join(roots.sysfs, 'firmware/devicetree/base/model'), 'Raspberry Pi 5 Model B Rev 1.0\0');
  t.match(await gather(), { boardProfile: 'raspberry-pi-5', maxWatts: 27 });
  writeFileSync(join(roots.sysfs, 'firmware/devicetree/base/model'), 'Some Board\0');
  const { boardProfile, maxWatts } = await gather();
  t.same({ boardProfile, maxWatts }, { boardProfile: 'generic', maxWatts: undefined });
});

t.test('the page size is that of this kernel', { skip: process.platform !== 'linux' }, async (t) => {
  const facts = await gatherFacts({
    procfs: '/proc',
    sysfs: '/sys',
    intervalMs: 1000,
    samplers: [],
    versions: {},
    clock: systemClock,
  });
  t.equal(String(facts.pageSizeBytes), execFileSync('getconf', ['PAGESIZE'], { encoding: 'utf8' }).trim());
});
