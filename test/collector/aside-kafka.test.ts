import t from 'tap';
import { KafkaAside } from '../../collector/aside/kafka.ts';
import type { AsideRecord } from '../../collector/record.ts';
import type { Destination } from '../../kafka/producer.ts';
import type { RecordToSend } from '../../kafka/types.ts';
import { ASIDE_HEADERS, SENT_HEADERS } from '../../telemetry/topics.ts';
import { aRecord } from './doubles.ts';

t.test('records of one place go in one send each, with the original bytes and the reason in headers', async (t) => {
  const sends: [string, Destination, RecordToSend[]][] = [];
  const send = async (...args: (typeof sends)[number]) => void sends.push(args);
  const aside = new KafkaAside({ producer: { send }, topicPrefix: 'p.' });
  const bytes = Buffer.from([0xff, 0x00, 0x7b]);
  const unknown: AsideRecord = {
    kind: 'dead-letter',
    reason: 'malformed-json',
    detail: 'not JSON',
    record: aRecord(bytes, {
      topic: 'p.node-reports',
      partition: 4,
      offset: '17',
      appendedAt: 99,
      key: Buffer.from('k'),
    }),
  };
  const known = (seq: number): AsideRecord => ({
    ...{ kind: 'overflow', reason: 'over-limit', detail: '', clusterId: 'c', nodeId: 'n', runId: 'r', seq },
    record: aRecord(bytes, { headers: { [SENT_HEADERS.uptimeMs]: '5' } }),
  });
  await aside.writeAside([known(1), unknown, known(2)]);
  t.match(sends, [
    ['p.overflow', { key: 'c/n' }, [{ value: bytes }, { value: bytes }]],
    ['p.dead-letters', { partition: 4, key: Buffer.from('k') }, [{ value: bytes }]],
  ]);
  t.strictSame(sends[1]?.[2][0]?.headers, {
    [ASIDE_HEADERS.reason]: 'malformed-json',
    [ASIDE_HEADERS.detail]: 'not JSON',
    [ASIDE_HEADERS.topic]: 'p.node-reports',
    [ASIDE_HEADERS.partition]: '4',
    [ASIDE_HEADERS.offset]: '17',
    [ASIDE_HEADERS.appendedAt]: '99',
  });
  await aside.writeAside([{ ...unknown, originalBytes: 4096 }]);
  t.equal(sends[2]?.[2][0]?.headers?.[ASIDE_HEADERS.originalBytes], '4096');
  t.match(sends[0]?.[2][1]?.headers, { [ASIDE_HEADERS.seq]: '2', [SENT_HEADERS.uptimeMs]: '5' });
});
