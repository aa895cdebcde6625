import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readHostClock } from '../../agent/host-clock.ts';
import { ManualClock } from '../helpers/manual-clock.ts';

const BOOT_ID = '3f0c4d5e-8a57-4f0e-9d5f-2f4a6b7c8d9e';

function roots(t: Test) {
  const root = t.testdir({
    proc: { uptime: '9501.37 36124.00\n', sys: { kernel: { random: { boot_id: `${BOOT_ID}\n` } } } },
    run: {},
    none: {},
  });
  return { procfs: join(root, 'proc'), runDirectory: join(root, 'run'), none: join(root, 'none') };
}

t.test('boot and uptime are those of the kernel, and wall time does not move them', async (t) => {
  const { procfs, runDirectory } = roots(t);
  const clock = new ManualClock();
  const host = await readHostClock({ procfs, runDirectory, clock });
  t.equal(host.bootId, BOOT_ID);
  t.equal(host.uptimeMs(), 9_501_370);
  clock.jumpWall(-3_600_000);
  await clock.advance(1500);
  t.equal(host.uptimeMs(), 9_502_870);
});

t.test('where there is no /proc, the boot is told by its time: the same for every process of one boot', async (t) => {
  const { none, runDirectory } = roots(t);
  const at = Date.UTC(2026, 5, 1, 12);
  const read = (nowMs: number, seconds: number) =>
    readHostClock({ procfs: none, runDirectory, clock: new ManualClock(nowMs), uptimeSeconds: () => seconds });
  const first = await read(at, 1000);
  t.equal(first.uptimeMs(), 1_000_000);
  t.equal((await read(at + 60_000, 1060)).bootId, first.bootId);
  t.not((await read(at + 60_000, 30)).bootId, first.bootId);
});

t.test('a clock that was never set is not synchronised, whatever a file says', async (t) => {
  const { procfs, runDirectory } = roots(t);
  mkdirSync(join(runDirectory, 'systemd/timesync'), { recursive: true });
  writeFileSync(join(runDirectory, 'systemd/timesync/synchronized'), '');
  const host = await readHostClock({ procfs, runDirectory, clock: new ManualClock(Date.UTC(1970, 0, 1, 0, 3)) });
  t.equal(host.clockSynchronised(), false);
  t.match(host.synchronisedBy(), /never set/);
});

t.test("systemd-timesyncd's mark is seen within seconds of its coming", async (t) => {
  const { procfs, runDirectory } = roots(t);
  const clock = new ManualClock();
  mkdirSync(join(runDirectory, 'systemd/timesync'), { recursive: true });
  const host = await readHostClock({ procfs, runDirectory, clock });
  t.equal(host.clockSynchronised(), false);
  t.match(host.synchronisedBy(), /not reached a time server/);
  writeFileSync(join(runDirectory, 'systemd/timesync/synchronized'), '');
  await clock.advance(5000);
  t.equal(host.clockSynchronised(), true);
});

t.test('without a service that tells, a plausible date is taken, and said to be an assumption', async (t) => {
  const { procfs, runDirectory } = roots(t);
  const host = await readHostClock({ procfs, runDirectory, clock: new ManualClock() });
  t.equal(host.clockSynchronised(), true);
  t.match(host.synchronisedBy(), /assumed/);
});
