import { Readable } from 'node:stream';
import t from 'tap';
import { DockerChanges } from '../../../agent/samplers/docker-changes.ts';
import { LineBuffer, parseEvent } from '../../../agent/samplers/docker-events.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import { randomFor } from '../../helpers/seeded-random.ts';

const event = (id: string, action = 'start') =>
  `${JSON.stringify({ Type: 'container', Action: action, Actor: { ID: id } })}\n`;
const never = new AbortController().signal;

t.test('lines survive chunks that end anywhere, within a character, too', async (t) => {
  const random = randomFor(t);
  const lines = Array.from({ length: 50 }, (_, index) => `${index} ${'größe 📦 '.repeat(random.int(0, 8))}`);
  const bytes = Buffer.from(`${lines.join('\n')}\n\n`);
  const buffer = new LineBuffer();
  const read: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = random.int(1, 40);
    read.push(...buffer.push(bytes.subarray(at, at + length)));
    at += length;
  }
  t.same(read, lines);
});

t.test('a line without an end is given up', async (t) => {
  const buffer = new LineBuffer();
  t.throws(() => {
    for (let i = 0; i < 2000; i += 1) buffer.push(Buffer.alloc(1024, 0x61));
  }, /a line of more than/);
});

t.test('events of containers and of the swarm concern us, others do not', async (t) => {
  t.same(parseEvent(event('a')), { kind: 'container', id: 'a' });
  t.same(parseEvent(event('a', 'health_status: healthy')), { kind: 'container', id: 'a' });
  t.same(parseEvent(event('a', 'destroy')), { kind: 'container-gone', id: 'a' });
  t.same(parseEvent('{"Type":"node","Action":"update"}'), { kind: 'swarm', id: '' });
  t.equal(parseEvent('{"Type":"network","Action":"create","Actor":{"ID":"n"}}'), undefined);
  t.equal(parseEvent('{"Type":"container"}'), undefined);
  t.equal(parseEvent('null'), undefined);
  t.throws(() => parseEvent('<html>'));
});

function changes() {
  const clock = new ManualClock();
  const stream = new Readable({ read() {} });
  return { clock, stream, changes: new DockerChanges(stream, clock) };
}

t.test('several events of one container within a moment are one change', async (t) => {
  const { clock, stream, changes: seen } = changes();
  let done = false;
  const waiting = seen.wait(10_000, never).then(() => {
    done = true;
  });
  await clock.advance(1000);
  t.equal(done, false);
  stream.push(event('a', 'create') + event('a') + event('b'));
  await clock.advance(100);
  stream.push(event('c', 'create') + event('b', 'destroy'));
  await clock.advance(300);
  await waiting;
  t.same(seen.take(), { ids: ['a', 'c'], gone: ['b'], everything: false });
  t.same(seen.take(), { ids: [], gone: [], everything: false });
  seen.close();
  t.equal(stream.destroyed, true);
});

t.test('more changes than a list takes are not remembered one by one', async (t) => {
  const { clock, stream, changes: seen } = changes();
  stream.push(Array.from({ length: 1000 }, (_, index) => event(`c${index}`)).join(''));
  await clock.advance(0);
  const { ids, everything } = seen.take();
  t.equal(everything, true);
  t.ok(ids.length <= 64);
});

t.test('a stream that ends, fails or talks nonsense ends the wait', async (t) => {
  const ended = changes();
  const waiting = ended.changes.wait(10_000, never);
  ended.stream.push(null);
  ended.stream.resume();
  await t.rejects(waiting, /has closed the connection/);

  const failed = changes();
  failed.stream.destroy(new Error('reset'));
  await t.rejects(failed.changes.wait(10_000, never), /has closed the connection/);

  const nonsense = changes();
  nonsense.stream.push('<html>\n');
  await nonsense.clock.advance(0);
  await t.rejects(nonsense.changes.wait(10_000, never), /JSON/);
});

t.test('a stop ends the wait, and no timer is left', async (t) => {
  const { clock, changes: seen } = changes();
  const stop = new AbortController();
  const waiting = seen.wait(10_000, stop.signal);
  stop.abort();
  await waiting;
  t.equal(clock.waitingTimers, 0);
});
