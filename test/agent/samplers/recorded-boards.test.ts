import { cpSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { gatherFacts } from '../../../agent/facts.ts';
import { boardSamplers } from '../../../agent/samplers/board-samplers.ts';
import { factsSchema } from '../../../telemetry/facts.ts';
import { reportSchema } from '../../../telemetry/report.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';

const BOARDS = join(import.meta.dirname, '../../fixtures/boards');
const RAILS = [{ label: 'board', measures: 'board', bus: 1, address: 0x40, shuntOhms: 0.01 } as const];

/** Every sampler of a copy of the recorded board, read twice a second apart. */
async function read(t: Test, name: 'rpi4' | 'laptop', rails: Parameters<typeof boardSamplers>[0]['rails']) {
  const root = t.testdir({});
  cpSync(join(BOARDS, name), root, { recursive: true, verbatimSymlinks: true });
  const clock = new ManualClock();
  const roots = { procfs: join(root, 'proc'), sysfs: join(root, 'sys'), dev: join(root, 'dev') };
  const samplers = boardSamplers({
    ...roots,
    clock,
    intervalMs: 1000,
    rails,
    dockerSockets: ['/nonexistent/docker.sock'],
    statFileSystem: async (path) => {
      if (path === '/mnt/usb stick') throw Object.assign(new Error('permission denied'), { code: 'EACCES' });
      return { bsize: 4096, blocks: 30_000_000, bavail: path === '/' ? 20_000_000 : 10_000 };
    },
  });
  const facts = await gatherFacts({
    ...roots,
    osReleaseFile: join(root, 'etc/os-release'),
    intervalMs: 1000,
    samplers,
    versions: { ericht: '0.1.0' },
    clock,
  });
  const found = samplers.filter((sampler) =>
    facts.findings?.some((finding) => finding.subject === sampler.name && finding.found),
  );
  const parts = { first: {}, second: {} };
  for (const which of ['first', 'second'] as const) {
    for (const sampler of found) Object.assign(parts[which], await sampler.sample(new AbortController().signal));
    if (which === 'first') {
      await clock.advance(1000);
      if (name === 'rpi4') renameSync(join(root, 'proc/stat-one-second-later'), join(root, 'proc/stat'));
    }
  }
  return { facts, parts };
}

function golden(name: string): unknown {
  return JSON.parse(readFileSync(join(BOARDS, name), 'utf8'));
}

t.test('a recorded Raspberry Pi 4 with two rails gives the golden report parts', async (t) => {
  const { facts, parts } = await read(t, 'rpi4', RAILS);
  t.same(parts.second, golden('rpi4/report-parts.json'));
  t.ok(reportSchema.partial().safeParse(parts.second).success, 'as the contract has them');
  t.notMatch(parts.first, { cpu: {} }, 'no ratio before a second has passed');
  const { versions, architecture: _, ...rest } = facts;
  t.same(rest, golden('rpi4/facts.json'));
  t.match(versions, { ericht: '0.1.0', node: process.versions.node });
  t.ok(factsSchema.partial().safeParse(facts).success, 'as the contract has them');
});

t.test('a recorded laptop on battery gives its discharge as a rail, and the right temperature', async (t) => {
  const { facts, parts } = await read(t, 'laptop', []);
  t.same(parts.second, golden('laptop/report-parts.json'));
  t.equal(facts.model, 'LENOVO ThinkPad T14 Gen 3');
  t.equal(facts.hardwareSerial, undefined, 'a table that was never filled in');
  t.match(
    facts.findings?.find(({ subject }) => subject === 'rails'),
    { found: true, detail: 'battery: battery BAT0, measured while it discharges' },
  );
});
