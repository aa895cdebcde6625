import t, { type Test } from 'tap';
import { Collector } from '../../collector/collector.ts';
import { InProcessLink } from '../../collector/consume/link.ts';
import { ErichtError } from '../../lib/errors.ts';
import { silentLog } from '../../lib/log.ts';
import { encode } from '../../telemetry/codec.ts';
import type { OutgoingRecord } from '../../telemetry/link.ts';
import type { Report } from '../../telemetry/report.ts';
import { ManualClock } from '../helpers/manual-clock.ts';
import { aReport, CLUSTER, MemoryStore } from './doubles.ts';

const NOW = Date.UTC(2026, 0, 1);

function parts(t: Test, maxBytes = 1_000_000) {
  const clock = new ManualClock(NOW);
  const store = new MemoryStore();
  const link = new InProcessLink({ maxBytes, clock, log: silentLog });
  const options = { source: link, store, aside: store, retention: { rawMs: 86_400_000 }, clock, log: silentLog };
  const collector = new Collector(options);
  t.teardown(() => collector.stop());
  return { clock, store, link, collector };
}

function outgoing(report: Report): OutgoingRecord {
  return { kind: 'report', clusterId: CLUSTER, nodeId: report.nodeId, value: encode(report), headers: {} };
}

const report = (seq: number) => outgoing(aReport({ seq, timestamp: NOW + seq }));

t.test('a send resolves after its rows are stored, and not before', async (t) => {
  const { clock, store, link, collector } = parts(t);
  await collector.start();
  const gate = Promise.withResolvers<void>();
  store.fail = (call) => (call === 'writeReports' ? gate.promise : undefined);
  let acknowledged = false;
  const sent = link
    .sink()
    .send([report(0), report(1)])
    .then(() => {
      acknowledged = true;
    });
  await clock.advance(1000);
  t.notOk(acknowledged);
  gate.resolve();
  await sent;
  t.equal(store.rows.size, 2);
  t.equal([...store.rows.values()][0]?.appendedAt, NOW, 'appended at the time of receipt');
  t.equal(link.status().lag, 0);
});

t.test('what is sent before the collector runs waits for it', async (t) => {
  const { link, collector, store } = parts(t);
  const sent = link.sink().send([report(0)]);
  t.equal(link.status().lag, 1);
  await collector.start();
  await sent;
  t.equal(store.rows.size, 1);
});

t.test('beyond its bound the link refuses, in a way that can be tried again, and takes more after that', async (t) => {
  const { link, collector, store } = parts(t, report(0).value.length * 4);
  const sink = link.sink();
  const waiting = [sink.send([report(0)]), sink.send([report(1)])];
  await t.rejects(sink.send([report(2), report(3), report(4)]), { code: 'STORE_OVERLOADED', retryable: true });
  await collector.start();
  await Promise.all(waiting);
  await sink.send([report(2), report(3), report(4)]);
  t.equal(store.rows.size, 5);
});

t.test('a bad report is acknowledged as a dead letter', async (t) => {
  const { link, collector, store } = parts(t);
  await collector.start();
  await link.sink().send([{ ...report(0), value: Buffer.from('{') }]);
  t.match(store.asides, [{ reason: 'malformed-json' }]);
});

t.test('facts of the same send go their own way', async (t) => {
  const { link, collector, store } = parts(t);
  await collector.start();
  const { schemaVersion, clusterId, nodeId, bootId, runId, timestamp, intervalMs } = aReport();
  const value = Buffer.from(JSON.stringify({ schemaVersion, clusterId, nodeId, bootId, runId, timestamp, intervalMs }));
  await link.sink().send([report(0), { kind: 'facts', clusterId, nodeId, value, headers: {} }]);
  t.strictSame([store.rows.size, store.factRows.size], [1, 1]);
});

t.test('stop stores what was taken and refuses what comes later', async (t) => {
  const { link, collector, store } = parts(t);
  await collector.start();
  const sent = Array.from({ length: 50 }, (_, seq) => link.sink().send([report(seq)]));
  await collector.stop();
  await Promise.all(sent);
  t.equal(store.rows.size, 50);
  await t.rejects(link.sink().send([report(99)]), { code: 'STORE_UNREACHABLE', retryable: true });
});

t.test('stop refuses what a store that is away did not take', async (t) => {
  const { clock, link, collector, store } = parts(t);
  await collector.start();
  store.fail = (call) => {
    if (call === 'writeReports') throw new ErichtError('STORE_FULL', { what: 'the disk is full' });
  };
  const sent = t.rejects(link.sink().send([report(0)]), { code: 'STORE_UNREACHABLE', retryable: true });
  await clock.advance(2000);
  t.match(collector.status(), { problem: { code: 'STORE_FULL' } });
  await Promise.all([sent, collector.stop()]);
});

t.test('is not readable while a store that is away keeps everything waiting, and is so again after it', async (t) => {
  const { clock, link, collector, store } = parts(t);
  await collector.start();
  store.fail = (call) => {
    if (call === 'writeReports') throw new ErichtError('STORE_FULL', { what: 'the disk is full' });
  };
  await clock.advance(10_000);
  t.ok(link.status().readable);
  const sent = link.sink().send([report(0)]);
  await clock.advance(1000);
  t.ok(link.status().readable, 'a slow COMMIT is nothing');
  await clock.advance(1000);
  t.notOk(link.status().readable);
  store.fail = () => {};
  await clock.advance(5000);
  await sent;
  t.ok(link.status().readable);
});

t.test('a tap sees records as they arrive, whatever becomes of them, and cannot do harm', async (t) => {
  const { link, collector, store } = parts(t);
  const seen: number[] = [];
  const untap = link.tap({
    report: ({ report: { seq } }) => {
      seen.push(seq);
      throw new Error('a screen that fails');
    },
    facts: () => {},
  });
  const sent = link.sink().send([report(3)]);
  t.strictSame(seen, [3], 'before it is stored');
  await collector.start();
  await sent;
  untap();
  await link.sink().send([report(4)]);
  t.strictSame(seen, [3]);
  t.equal(store.rows.size, 2);
});
