import t, { type Test } from 'tap';
import { AsideKeeper } from '../../collector/aside/keeper.ts';
import { Hold } from '../../collector/hold.ts';
import type { AsideRecord } from '../../collector/record.ts';
import { ErichtError } from '../../lib/errors.ts';
import { Rare } from '../../lib/rare.ts';
import { recordingLog } from '../helpers/kafka-records.ts';
import { ManualClock } from '../helpers/manual-clock.ts';
import { aRecord, aReport, HandSource, MemoryStore } from './doubles.ts';

const KIB = 1024;
const refused = () => new ErichtError('KAFKA_RECORD_REFUSED', { what: 'cannot send', why: 'MESSAGE_TOO_LARGE' });

/** A keeper whose place takes bodies of at most `maxBytes`. */
function stand(maxBytes: number) {
  const clock = new ManualClock();
  const log = recordingLog();
  const aside = new MemoryStore();
  aside.fail = (_, records) => {
    const sizeOf = ({ record }: AsideRecord) => (record.value?.length ?? 0) + JSON.stringify(record.headers).length;
    if ((records as AsideRecord[]).some((record) => sizeOf(record) > maxBytes)) throw refused();
  };
  const hold = new Hold('keeping dead letters', clock, log);
  const keeper = new AsideKeeper({ aside, hold, log, rare: new Rare(clock) });
  return { keeper, aside, clock, log, signal: new AbortController().signal };
}

function letter(bytes: number, offset: string, headers: Record<string, string> = {}): AsideRecord {
  const record = aRecord(Buffer.alloc(bytes, offset), { offset, headers });
  return { kind: 'dead-letter', reason: 'too-large', detail: 'it is long', nodeId: 'a', record };
}

t.test('what is refused whole is kept cut, says so, and its neighbours are kept whole', async (t) => {
  const { keeper, aside, log, signal } = stand(20 * KIB);
  const letters = [letter(10, '1'), letter(90 * KIB, '2', { h: 'x' }), letter(30, '3')];
  t.equal(await keeper.keep(letters, signal), 3);
  t.strictSame(
    aside.asides.map(({ record }) => [record.offset, record.value?.length]),
    [
      ['1', 10],
      ['2', 16 * KIB],
      ['3', 30],
    ],
  );
  const [whole, cut] = aside.asides;
  t.match(whole, { originalBytes: undefined, detail: 'it is long' });
  t.match(cut, { originalBytes: 90 * KIB, reason: 'too-large', nodeId: 'a', record: { headers: {} } });
  t.match(cut?.detail, /^cut to 16384 of 92160 bytes.*MESSAGE_TOO_LARGE.*: it is long$/);
  t.match(
    log.lines.filter(({ level }) => level === 'error'),
    [{ message: /record 2 of reports, partition 0, was set aside \(too-large\): cut to/ }],
  );
});

t.test('the less a place takes, the less is kept; headers that are too long go, too', async (t) => {
  const { keeper, aside, signal } = stand(1500);
  await keeper.keep([letter(5 * KIB, '1'), letter(100, '2', { long: 'x'.repeat(2000) })], signal);
  t.strictSame(
    aside.asides.map(({ originalBytes, record }) => [originalBytes, record.value?.length, record.headers]),
    [
      [5 * KIB, KIB, {}],
      [100, 100, {}],
    ],
  );
});

t.test('what is refused even without its body holds nothing up and is told as an error', async (t) => {
  const { keeper, aside, log, signal } = stand(-1);
  t.equal(await keeper.keep([letter(5, '17')], signal), 0);
  t.equal(aside.asides.length, 0);
  t.match(log.lines, [{ level: 'error', message: /refused: .*MESSAGE_TOO_LARGE.* record 17 of reports, partition 0/ }]);
});

t.test('a place that is away is waited for, and what comes back then is kept whole', async (t) => {
  const { keeper, aside, clock, signal } = stand(0);
  let failures = 0;
  aside.fail = () => {
    failures += 1;
    if (failures < 5) throw new ErichtError('KAFKA_UNREACHABLE', { what: 'cannot send' });
  };
  const kept = keeper.keep([letter(90 * KIB, '1')], signal);
  await clock.advance(60_000);
  t.equal(await kept, 1);
  t.strictSame(
    aside.asides.map(({ originalBytes, record }) => [originalBytes, record.value?.length]),
    [[undefined, 90 * KIB]],
  );
});

t.test('a partition goes on past a dead letter that is refused, and counts what is kept', async (t: Test) => {
  const { Collector } = await import('../../collector/collector.ts');
  const { aside, clock, log } = stand(-1);
  const [source, store] = [new HandSource(), new MemoryStore()];
  const collector = new Collector({ source, store, aside, retention: { rawMs: 86_400_000 }, clock, log });
  t.teardown(() => collector.stop());
  await collector.start();
  const good = aReport({ timestamp: Date.UTC(2026, 0, 1) });
  await source.assign().batch([aRecord(Buffer.from('{'), { offset: '0' }), aRecord(good, { offset: '1' })]);
  t.strictSame(source.committed, ['2']);
  t.match(collector.counts(), { stored: 1, deadLettered: 0, received: 2 });
});
