import { join } from 'node:path';
import t from 'tap';
import { StorageSampler } from '../../../agent/samplers/storage.ts';
import { factsSchema } from '../../../telemetry/facts.ts';
import { type Rail, reportSchema } from '../../../telemetry/report.ts';
import { BOARDS, golden, RECORDED_BOARDS, readRecordedBoard } from '../../helpers/recorded-board.ts';
import { runEricht } from '../../helpers/run-ericht.ts';
import { tempDir } from '../../helpers/temp.ts';

t.test('there is a record of each board profile, and of machines without one', async (t) => {
  t.same(RECORDED_BOARDS.map((board) => golden(board).facts.boardProfile).toSorted(), [
    'generic',
    'generic',
    'orange-pi-5',
    'orange-pi-5-plus',
    'orange-pi-5b',
    'raspberry-pi-4',
    'raspberry-pi-5',
  ]);
});

for (const board of RECORDED_BOARDS) {
  t.test(`the record ${board} gives its golden facts and report`, async (t) => {
    const { facts, report, first } = await readRecordedBoard(board, await tempDir(t));
    t.same({ facts, report }, golden(board), 'else: node test/fixtures/boards/renew.ts, and read the difference');
    t.ok(reportSchema.partial().safeParse(report).success && factsSchema.partial().safeParse(facts).success);
    t.notMatch(first, { cpu: {} }, 'no ratio before a second has passed');
  });
}

/** Times, and what only differs between two readings, are not the same twice; a record stands still. */
function masked(report: Record<string, unknown>): unknown {
  const { cpu: _, rails, ...parts } = report;
  return JSON.parse(
    JSON.stringify({
      ...parts,
      ...(rails ? { rails: (rails as Rail[]).map(({ energyJoules, coveredSeconds, ...rail }) => rail) } : {}),
    }),
    (key, value) => (key === 'sampledAt' ? '(time)' : value),
  );
}

t.test(
  'ericht agent --once says of each record what its golden report says, and nothing of this machine',
  async (t) => {
    const folder = await tempDir(t);
    await Promise.all(
      RECORDED_BOARDS.map(async (board) => {
        const roots = ['procfs', 'sysfs', 'dev'].map((name, index) => [
          `--path.${name}`,
          join(BOARDS, board, ['proc', 'sys', 'dev'][index]!),
        ]);
        const args = ['agent', '--once', ...roots.flat(), '--node-id', 'recorded', '-o', 'json'];
        const { code, stdout, stderr } = await runEricht(t, args, { folder });
        t.equal(code, 0, stderr);
        const { self, clusterId, runId, timestamp, uptimeMs, clockSynchronised, bootId, ...report } =
          JSON.parse(stdout);
        t.match(
          { self, clusterId, runId, timestamp, uptimeMs, clockSynchronised, bootId },
          {
            self: { samplers: { load: { failures: 0 } } },
            clusterId: String,
            runId: /^[0-9a-f-]{36}$/,
            timestamp: /^\d{4}-.*Z$/,
            uptimeMs: Number,
            clockSynchronised: Boolean,
            bootId: /^[0-9a-f-]{36}$/,
          },
        );
        const same = { schemaVersion: 1, nodeId: 'recorded', seq: 0, drained: false, intervalMs: 1000 };
        const claim = { unacknowledged: [], dropped: [] };
        t.same(masked(report), masked({ ...same, claim, ...golden(board).report }), board);
      }),
    );
  },
);

t.test('of the mounts of a recorded Pi 4 those are told that can fill up', async (t) => {
  const root = join(BOARDS, 'rpi4');
  const sampler = new StorageSampler(
    { procfs: join(root, 'proc'), sysfs: join(root, 'sys') },
    {
      platform: 'linux',
      statFileSystem: async (path) => {
        if (path === '/mnt/usb stick') throw Object.assign(new Error('permission denied'), { code: 'EACCES' });
        return { bsize: 4096, blocks: 30_000_000, bavail: path === '/' ? 20_000_000 : 10_000 };
      },
    },
  );
  t.match(await sampler.find(), { found: true, detail: '/, /boot/firmware; mmcblk0, sda' });
  t.same((await sampler.sample()).storage?.mounts, [
    { path: '/', device: '/dev/sda2', totalBytes: 122_880_000_000, availableBytes: 81_920_000_000 },
    { path: '/boot/firmware', device: '/dev/mmcblk0p1', totalBytes: 122_880_000_000, availableBytes: 40_960_000 },
  ]);
});

t.test('a laptop tells its discharge as a rail, and no serial from a table that was never filled in', async (t) => {
  const { facts, report } = golden('laptop');
  t.match(report.rails, [{ label: 'battery', source: 'battery', powerWatts: 9.5 }]);
  t.equal(facts.model, 'LENOVO ThinkPad T14 Gen 3');
  t.equal(facts.hardwareSerial, undefined);
});
