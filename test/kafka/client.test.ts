import { test } from 'tap';
import { securityOf } from '../../kafka/client.ts';
import { quietLogCreator } from '../../kafka/quiet-log.ts';
import type { KafkaSettings } from '../../kafka/types.ts';
import { type Clock, systemClock } from '../../lib/clock.ts';
import { recordingLog } from '../helpers/kafka-records.ts';

const plain: KafkaSettings = { brokers: ['127.0.0.1:9092'], clientId: 'test' };

test('TLS verifies the certificate whether or not an authority is named, and there is none without being asked', async (t) => {
  t.same(securityOf(plain), {});
  t.match(securityOf({ ...plain, tls: {} }), { ssl: { rejectUnauthorized: true, minVersion: 'TLSv1.2' } });
  const tls = { ca: 'the authority', cert: 'mine', key: 'secret' };
  t.same(securityOf({ ...plain, tls }).ssl, {
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ca: ['the authority'],
    cert: 'mine',
    key: 'secret',
  });
});

test('SASL goes through as it is set', async (t) => {
  const sasl = { mechanism: 'scram-sha-512', username: 'pi-1', password: 'secret' } as const;
  t.same(securityOf({ ...plain, sasl }), { sasl });
});

test('what kafkajs repeats is said once a minute, at debug', async (t) => {
  let nowMs = 0;
  const clock: Clock = { ...systemClock, monotonicMs: () => nowMs };
  const log = recordingLog();
  const seen: string[] = [];
  const say = quietLogCreator(log, clock, (message) => seen.push(message))(4);
  const entry = (message: string) => ({
    namespace: 'Connection',
    level: 1,
    label: 'ERROR',
    log: { timestamp: '2026-11-23T00:00:00Z', logger: 'kafkajs', message, broker: 'pi:9092' },
  });
  for (let n = 0; n < 1000; n += 1) say(entry(`Connection error ${n}`));
  t.equal(log.lines.length, 1, 'numbers do not make another sentence');
  t.match(log.lines[0], { level: 'debug', message: 'Connection error 0', fields: { broker: 'pi:9092' } });
  say(entry('something else'));
  nowMs = 61_000;
  say(entry('Connection error 7'));
  t.equal(log.lines.length, 3);
  t.equal(seen.length, 1002, 'who watches sees everything');
});
