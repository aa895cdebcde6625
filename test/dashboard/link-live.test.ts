import { test } from 'tap';
import { InProcessLink } from '../../collector/consume/link.ts';
import { LinkLive } from '../../dashboard/server/link-live.ts';
import { silentLog } from '../../lib/log.ts';
import { encode } from '../../telemetry/codec.ts';
import { ManualClock } from '../helpers/manual-clock.ts';
import { boardReport, factsOf } from './demo-cluster.ts';

test('reports and facts that go over a real link are shown, until the source is stopped', async (t) => {
  const clock = new ManualClock();
  const link = new InProcessLink({ maxBytes: 1e6, clock, log: silentLog });
  const live = new LinkLive(link, clock);
  const shown: string[] = [];
  await live.start({
    report: ({ report }) => shown.push(`report ${report.seq}`),
    facts: ({ model }) => shown.push(`facts ${model}`),
  });
  const report = boardReport('pi-01', 7, clock.now());
  const record = { clusterId: report.clusterId, nodeId: report.nodeId, headers: {} };
  const send = (kind: 'report' | 'facts', value: Buffer) =>
    // Nobody stores here, so the link refuses these once it stops.
    link
      .sink()
      .send([{ ...record, kind, value }])
      .catch(() => {});
  const sent = [send('report', encode(report)), send('facts', encode(factsOf(report)))];
  t.same(shown, ['report 7', 'facts Raspberry Pi 4 Model B Rev 1.5']);
  await live.stop();
  sent.push(send('report', encode(report)));
  t.equal(shown.length, 2);
  await link.stop();
  await Promise.all(sent);
});

test('a link whose records are not stored for 2 s stands still, and goes on with the next new one', async (t) => {
  const clock = new ManualClock();
  let lag = 0;
  let report: (live: { report: ReturnType<typeof boardReport>; appendedAt: number }) => void = () => {};
  const live = new LinkLive(
    {
      tap: (handlers) => {
        report = handlers.report;
        return () => {};
      },
      status: () => ({ readable: true, lag }),
    },
    clock,
  );
  await live.start({ report: () => {}, facts: () => {} });
  t.equal(live.pipeline().readable, true);
  lag = 1;
  live.pipeline();
  await clock.advance(1900);
  t.equal(live.pipeline().readable, true);
  await clock.advance(200);
  t.match(live.pipeline(), { readable: false, since: clock.now(), collectorLag: 1 });
  report({ report: boardReport('pi-01', 8, clock.now()), appendedAt: clock.now() });
  t.equal(live.pipeline().readable, true);
});
