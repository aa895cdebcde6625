import t from 'tap';
import { ErichtError } from '../../../lib/errors.ts';
import { FragileFiles } from '../../helpers/fragile-files.ts';
import { MemorySink } from '../../helpers/memory-sink.ts';
import { tempDir } from '../../helpers/temp.ts';
import { away, makePublisher, NOTHING, refused, seqs, upTo } from './publisher-stand.ts';

t.test('the next run drains what the last one left, marks it, and tells of that run until it is known', async (t) => {
  const disk = new FragileFiles();
  const directory = await tempDir(t);
  const first = await makePublisher(t, { disk, directory, runId: 'old', bootId: 'boot-1' });
  await first.sample(3);
  first.sink.mode = away;
  await first.sample(10);
  await first.stop();
  t.match(first.publisher.counts(), { sampled: 13, acknowledged: 3, waiting: 10, notSent: 0 });

  const sink = new MemorySink();
  sink.mode = away;
  const second = await makePublisher(t, { disk, directory, runId: 'new', bootId: 'boot-2', sink });
  await second.sample(3);
  sink.mode = 'up';
  await second.clock.advance(5000);
  await second.sample(2);
  const old = sink.reports().filter(({ runId }) => runId === 'old');
  t.same(seqs(old), upTo(10, 3));
  t.ok(
    old.every(({ drained }) => drained),
    'from another boot: drained, however young',
  );
  const own = sink.reports().filter(({ runId }) => runId === 'new');
  const told = own.map(({ claim }) => claim.earlierRuns?.find(({ runId }) => runId === 'old'));
  t.same(told[0], { runId: 'old', nextSeq: 13, unacknowledged: [{ from: 3, to: 12 }], dropped: [] });
  t.same(told.filter((run) => run?.unacknowledged.length === 0).at(0), { runId: 'old', nextSeq: 13, ...NOTHING });
  t.equal(told.at(-1), undefined, 'told, arrived, forgotten');
  t.ok(second.acknowledged.includes('old/12'));
  t.same(second.publisher.counts(), { sampled: 5, acknowledged: 5, notSent: 0, waiting: 0 });
});

t.test('a stop flushes what is in memory and is quick when the sink answers', async (t) => {
  const { publisher, sink, offer, stop } = await makePublisher(t);
  sink.mode = away;
  offer();
  offer({ goodbye: true });
  sink.mode = 'up';
  t.ok((await stop()) < 300);
  t.same(seqs(sink.reports()), [0, 1]);
  t.equal(sink.reports().at(-1)?.goodbye, true);
  t.equal(sink.stopped, 1);
  offer();
  t.equal(publisher.counts().sampled, 2, 'nothing is taken afterwards');
});

for (const mode of ['hanging', away] as const) {
  t.test(
    `a stop while the sink is ${mode === 'hanging' ? 'hanging' : 'away'} puts all on disk within 5 s`,
    async (t) => {
      const disk = new FragileFiles();
      const { publisher, sink, offer, stop, acknowledged, clock } = await makePublisher(t, { disk });
      sink.mode = mode;
      offer();
      offer();
      await clock.advance(100);
      offer({ goodbye: true });
      t.ok((await stop()) < 5000);
      t.match(publisher.counts(), { sampled: 3, waiting: 3, notSent: 0 });
      t.equal(publisher.spoolCounts()?.waitingReports, 3);
      sink.release();
      await clock.advance(5000);
      t.same(acknowledged, [], 'nothing is told after the stop');
    },
  );
}

t.test('without a spool a stop while the sink is away counts the rest as not sent', async (t) => {
  const { publisher, sink, log, sample, stop } = await makePublisher(t);
  sink.mode = away;
  await sample(3);
  await stop();
  t.same(publisher.counts(), { sampled: 3, acknowledged: 0, notSent: 3, waiting: 0 });
  const told = log.lines.filter(
    ({ level, message }) => level === 'warn' && /last 3 reports are given up/.test(message),
  );
  t.equal(told.length, 1, 'what nobody will ever see is told in the log');
});

t.test('a sink that can never start is told at the start; one that is away is waited for', async (t) => {
  const sink = new MemorySink();
  const wrong = new ErichtError('CONFIG_INVALID', { what: 'the certificate is not one' });
  sink.start = () => Promise.reject(wrong);
  await t.rejects(makePublisher(t, { sink }), { code: 'CONFIG_INVALID' });

  const late = new MemorySink();
  let starts = 0;
  late.start = async () => {
    starts += 1;
    if (starts < 4) throw away;
  };
  const { sample, publisher } = await makePublisher(t, { sink: late });
  await sample(20);
  t.equal(publisher.counts().acknowledged, 20);
});

t.test('facts go through the same sink, only the latest, and are never on disk', async (t) => {
  const disk = new FragileFiles();
  const { publisher, sink, clock } = await makePublisher(t, { disk });
  const facts = (cores: number) => ({
    ...{ schemaVersion: 1, clusterId: 'case', nodeId: 'node', bootId: 'boot', runId: 'run' },
    timestamp: clock.now(),
    intervalMs: 1000,
    cores,
  });
  sink.mode = away;
  publisher.offerFacts(facts(1));
  publisher.offerFacts(facts(2));
  await clock.advance(10_000);
  t.equal(disk.files.size, 0);
  sink.mode = 'up';
  await clock.advance(5000);
  t.same(
    sink.facts().map(({ cores }) => cores),
    [2],
  );
  sink.inspect = () => {
    throw refused;
  };
  publisher.offerFacts(facts(3));
  await clock.advance(5000);
  t.equal(sink.attempts, sink.attempts, 'refused facts are given up');
  const attempts = sink.attempts;
  await clock.advance(5000);
  t.equal(sink.attempts, attempts);
});
