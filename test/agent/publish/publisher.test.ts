import t from 'tap';
import { ErichtError } from '../../../lib/errors.ts';
import { FragileFiles } from '../../helpers/fragile-files.ts';
import { reportOf } from '../../helpers/memory-sink.ts';
import { randomFor } from '../../helpers/seeded-random.ts';
import { away, makePublisher, NOTHING, refused, seqs, upTo } from './publisher-stand.ts';

t.test(
  'in the steady state each report goes out at once, claims nothing outstanding, and nothing touches the disk',
  async (t) => {
    const disk = new FragileFiles();
    const { publisher, sink, sample, acknowledged } = await makePublisher(t, { disk });
    await sample(30);
    t.same(seqs(sink.reports()), upTo(30));
    t.same(
      sink.reports().map(({ claim }) => claim),
      upTo(30).map(() => NOTHING),
    );
    t.same(
      sink.reports().map(({ drained }) => drained),
      upTo(30).map(() => false),
    );
    t.equal(sink.sends.length, 30);
    t.equal(disk.syncs + disk.files.size, 0);
    t.same(
      acknowledged,
      upTo(30).map((seq) => `run/${seq}`),
    );
    t.same(publisher.counts(), { sampled: 30, acknowledged: 30, notSent: 0, waiting: 0 });
  },
);

t.test('each record says the uptime and boot of its sending', async (t) => {
  const { sink, sample, clock } = await makePublisher(t);
  const uptimeMs = clock.monotonicMs();
  await sample();
  t.match(sink.sends[0], [{ kind: 'report', clusterId: 'case', nodeId: 'node' }]);
  t.same(sink.sends[0]![0]!.headers, {
    'ericht-sent-uptime-ms': String(Math.round(uptimeMs)),
    'ericht-sent-boot-id': 'boot',
  });
});

t.test('an outage goes to disk and is drained in order afterwards, while live reports keep their pace', async (t) => {
  const disk = new FragileFiles();
  const { publisher, sink, sample, clock } = await makePublisher(t, { disk });
  await sample(5);
  sink.mode = away;
  await sample(200);
  t.ok((publisher.spoolCounts()?.waitingReports ?? 0) >= 197);
  t.match(publisher.counts(), { sampled: 205, acknowledged: 5 });
  // Each send takes a while, so that draining takes several of them.
  const liveWaits: number[] = [];
  sink.inspect = async (records) => {
    await new Promise<void>((resolve) => clock.setTimer(resolve, 400));
    for (const report of records.map(reportOf))
      if (!report.drained) liveWaits.push(clock.monotonicMs() - report.uptimeMs);
  };
  sink.mode = 'up';
  await sample(30);
  await clock.advance(5000);
  const reports = sink.reports();
  const drained = reports.filter((report) => report.drained);
  const live = reports.filter((report) => !report.drained);
  t.same(
    seqs(drained),
    [...seqs(drained)].sort((a, b) => a - b),
    'drained in order',
  );
  t.same(
    seqs(live),
    [...seqs(live)].sort((a, b) => a - b),
    'live in order',
  );
  t.same(
    [...new Set(seqs(reports))].sort((a, b) => a - b),
    upTo(235),
    'every one',
  );
  t.ok(drained.length > 150);
  t.ok(
    Math.max(...liveWaits.slice(6)) <= 1600,
    `a live report waits for one drained send: ${Math.max(...liveWaits.slice(6))} ms`,
  );
  t.equal(sink.mostUnderWay, 1, 'one send at a time');
  t.same(publisher.counts(), { sampled: 235, acknowledged: 235, notSent: 0, waiting: 0 });
  t.equal(disk.files.size, 0, 'and the disk is clean again');
  t.same(reports.find(({ seq }) => seq === 234)?.claim, NOTHING);
});

t.test('claims during and after an outage never call acknowledged what is not', async (t) => {
  const random = randomFor(t);
  const { sink, sample, clock, acknowledged } = await makePublisher(t, { disk: new FragileFiles() });
  const lies: string[] = [];
  sink.inspect = (records) => {
    // Some fail as a whole, as on a bad radio link; what is taken is judged against what had been acknowledged by then.
    if (random.next() < 0.4) throw away;
    for (const { seq, claim } of records.map(reportOf)) {
      for (let below = 0; below < seq; below += 1) {
        const told = claim.unacknowledged.some(({ from, to }) => from <= below && below <= to);
        if (!told && !acknowledged.includes(`run/${below}`)) lies.push(`${seq} says that ${below} was acknowledged`);
      }
    }
  };
  for (let n = 0; n < 12; n += 1) {
    sink.mode = random.next() < 0.5 ? away : 'up';
    await sample(random.int(1, 8));
  }
  sink.mode = 'up';
  await clock.advance(60_000);
  t.same(lies, []);
  t.equal(new Set(acknowledged).size, new Set(seqs(sink.reports())).size);
});

t.test('at a power cut no report older than five seconds was only in memory', async (t) => {
  const disk = new FragileFiles();
  const { publisher, sink, offer, clock } = await makePublisher(t, { disk });
  sink.mode = 'hanging';
  let worstMs = 0;
  for (let n = 0; n < 300; n += 1) {
    offer();
    await clock.advance(100);
    const onDisk = publisher.spoolCounts()?.waitingReports ?? 0;
    worstMs = Math.max(worstMs, (n + 1 - onDisk) * 100);
  }
  t.ok(worstMs <= 2700, `${worstMs} ms`);
  t.ok(disk.syncs < 14, `${disk.syncs} syncs in 30 s: a card is not worn by one each`);
});

t.test('a send that is acknowledged after its reports went to disk is not sent again', async (t) => {
  const { publisher, sink, sample, clock } = await makePublisher(t, { disk: new FragileFiles() });
  sink.mode = 'hanging';
  await sample(4);
  t.ok((publisher.spoolCounts()?.waitingReports ?? 0) >= 3);
  sink.release();
  await clock.advance(5000);
  t.equal(seqs(sink.reports()).filter((seq) => seq === 0).length, 1);
  t.same(publisher.counts(), { sampled: 4, acknowledged: 4, notSent: 0, waiting: 0 });
  t.equal(publisher.spoolCounts()?.waitingReports, 0);
});

t.test('a report that is refused for good is dropped with its reason, and its neighbours arrive', async (t) => {
  const { publisher, sink, offer, sample, clock } = await makePublisher(t);
  sink.mode = away;
  for (let n = 0; n < 10; n += 1) offer();
  await clock.advance(300);
  sink.inspect = (records) => {
    if (records.some((record) => reportOf(record).seq === 4)) throw refused;
    if (records.some((record) => reportOf(record).seq === 7))
      throw new ErichtError('REPORT_TOO_LARGE', { what: 'too long' });
  };
  sink.mode = 'up';
  await clock.advance(5000);
  await sample(1);
  t.same(seqs(sink.reports()), [0, 1, 2, 3, 5, 6, 8, 9, 10]);
  t.same(sink.reports().at(-1)?.claim, {
    unacknowledged: [],
    dropped: [
      { from: 4, to: 4, reason: 'refused' },
      { from: 7, to: 7, reason: 'too-large' },
    ],
  });
  t.same(publisher.counts(), { sampled: 11, acknowledged: 9, notSent: 2, waiting: 0 });
});

t.test('a refused report at the head of the spool leaves it', async (t) => {
  const { publisher, sink, sample, clock } = await makePublisher(t, { disk: new FragileFiles() });
  sink.mode = away;
  await sample(20);
  sink.inspect = (records) => {
    if (records.some((record) => reportOf(record).seq === 0)) throw refused;
  };
  sink.mode = 'up';
  await clock.advance(10_000);
  t.match(publisher.counts(), { sampled: 20, acknowledged: 19, notSent: 1, waiting: 0 });
  t.equal(publisher.spoolCounts()?.waitingReports, 0);
});

t.test('a missing right or topic is waited for, and told once', async (t) => {
  const { publisher, sink, sample, clock, log } = await makePublisher(t, { disk: new FragileFiles() });
  for (const code of ['KAFKA_UNAUTHORISED', 'KAFKA_TOPIC_MISSING'] as const) {
    sink.mode = new ErichtError(code, { what: 'no' });
    await sample(30);
  }
  sink.mode = new Error('something nobody has thought of');
  await sample(5);
  sink.mode = 'up';
  await clock.advance(30_000);
  t.same(publisher.counts(), { sampled: 65, acknowledged: 65, notSent: 0, waiting: 0 });
  t.same(log.lines.filter(({ level }) => level === 'warn').length, 3);
});

t.test('without a spool the queue is bounded, the oldest are dropped and told', async (t) => {
  const { publisher, sink, sample, clock } = await makePublisher(t, { queueMaxBytes: 20_000 });
  sink.mode = away;
  await sample(200);
  const { notSent, waiting } = publisher.counts();
  t.equal(notSent + waiting, 200);
  t.ok(waiting > 30 && waiting < 80, `${waiting} wait`);
  sink.mode = 'up';
  await clock.advance(5000);
  await sample(1);
  t.same(seqs(sink.reports()), upTo(waiting + 1, notSent), 'the youngest, in order');
  t.ok(sink.reports()[0]?.drained, 'those that waited too long are not live');
  t.same(sink.reports().at(-1)?.claim.dropped, [{ from: 0, to: notSent - 1, reason: 'queue-full' }]);
});

t.test('when the disk is full too, memory keeps what fits and the rest is dropped and told', async (t) => {
  const disk = new FragileFiles();
  disk.capacity = 30_000;
  const { publisher, sink, sample, clock } = await makePublisher(t, { disk, queueMaxBytes: 20_000 });
  sink.mode = away;
  await sample(300);
  t.match(publisher.spoolCounts()?.problem, /ENOSPC/);
  t.ok(publisher.counts().notSent > 0);
  sink.mode = 'up';
  await clock.advance(60_000);
  await sample(1);
  const { sampled, acknowledged, notSent, waiting } = publisher.counts();
  t.equal(waiting, 0);
  t.equal(acknowledged + notSent, sampled);
  t.ok(
    sink
      .reports()
      .at(-1)
      ?.claim.dropped.every(({ reason }) => reason === 'spool-failed'),
  );
});

t.test('a report that is too long for the contract is dropped before it is sent', async (t) => {
  const { publisher, sink, offer, clock } = await makePublisher(t);
  offer({ padding: 'x'.repeat(70_000) });
  offer();
  await clock.advance(100);
  t.same(seqs(sink.reports()), [1]);
  t.same(sink.reports()[0]?.claim.dropped, [{ from: 0, to: 0, reason: 'too-large' }]);
  t.match(publisher.counts(), { notSent: 1, acknowledged: 1 });
});
