import t from 'tap';
import { systemClock } from '../../lib/clock.ts';
import { withDeadline } from '../../lib/deadline.ts';
import { type Service, ServiceGroup } from '../../lib/lifecycle.ts';
import { silentLog } from '../../lib/log.ts';

function recorder() {
  const said: string[] = [];
  const service = (name: string, faults: { start?: boolean; stop?: 'throws' | 'hangs' } = {}): Service => ({
    name,
    async start() {
      said.push(`start ${name}`);
      if (faults.start) throw new Error(`${name} will not start`);
    },
    stop() {
      said.push(`stop ${name}`);
      if (faults.stop === 'hangs') return new Promise(() => {});
      return faults.stop ? Promise.reject(new Error('no')) : Promise.resolve();
    },
  });
  return { said, service };
}

t.test('services stop in the reverse order, and stop() twice stops once', async (t) => {
  const { said, service } = recorder();
  const group = new ServiceGroup('all', [service('a'), service('b')], systemClock, silentLog);
  await group.start();
  await Promise.all([group.stop(), group.stop()]);
  await group.stop();
  t.same(said, ['start a', 'start b', 'stop b', 'stop a']);
});

t.test('one that does not start takes the started ones down again', async (t) => {
  const { said, service } = recorder();
  const group = new ServiceGroup(
    'all',
    [service('a'), service('b', { start: true }), service('c')],
    systemClock,
    silentLog,
  );
  await t.rejects(group.start(), /b will not start/);
  t.same(said, ['start a', 'start b', 'stop b', 'stop a']);
});

t.test('one that fails or hangs at its stop does not keep the next from stopping', async (t) => {
  const { said, service } = recorder();
  const services = [service('a'), service('b', { stop: 'throws' }), service('c', { stop: 'hangs' })];
  const group = new ServiceGroup('all', services, systemClock, silentLog, 20);
  await group.start();
  await group.stop();
  t.same(said.slice(3), ['stop c', 'stop b', 'stop a']);
});

t.test('a deadline names what did not answer', async (t) => {
  await t.rejects(withDeadline(new Promise(() => {}), 5, 'asking the broker', systemClock), {
    code: 'DEADLINE_EXCEEDED',
    message: 'asking the broker: no answer within 5 ms',
  });
  t.equal(await withDeadline(Promise.resolve(7), 1000, 'x', systemClock), 7);
});
