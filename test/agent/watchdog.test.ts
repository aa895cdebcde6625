import t from 'tap';
import { Watchdog, watchdogOf } from '../../agent/watchdog.ts';
import { silentLog } from '../../lib/log.ts';
import { ManualClock } from '../helpers/manual-clock.ts';

function watched({ limitMs, intervalMs = 1000 }: { limitMs?: number; intervalMs?: number } = {}) {
  const clock = new ManualClock();
  const told: string[] = [];
  const problems: string[] = [];
  const state = { rounds: 0, brokenPipe: false };
  const watchdog = new Watchdog({
    rounds: () => state.rounds,
    intervalMs,
    limitMs,
    notify: async (word) => {
      if (state.brokenPipe) throw new Error('no such socket');
      told.push(word);
    },
    clock,
    log: {
      ...silentLog,
      warn: (_fields, message) => problems.push(message),
      error: (_fields, message) => problems.push(message),
    },
  });
  const live = async (seconds: number) => {
    for (let second = 0; second < seconds; second += 1) {
      state.rounds += 1;
      await clock.advance(1000);
    }
  };
  return { clock, told, problems, state, watchdog, live };
}

t.test('systemd is told of the start, and then three times in its limit that reports are made', async (t) => {
  const { told, watchdog, live, clock } = watched({ limitMs: 60_000 });
  await watchdog.start();
  t.same(told, ['READY=1']);
  await live(61);
  t.same(told, ['READY=1', 'WATCHDOG=1', 'WATCHDOG=1', 'WATCHDOG=1']);
  await watchdog.stop();
  t.equal(clock.waitingTimers, 0);
});

t.test('a loop that makes no reports is not told as alive, and says so once', async (t) => {
  const { told, problems, watchdog, live, clock } = watched({ limitMs: 60_000 });
  await watchdog.start();
  await live(20);
  await clock.advance(58_000);
  t.same(told, ['READY=1', 'WATCHDOG=1']);
  t.same(problems, ['no report was made for 20 s: systemd will restart the agent']);
  await live(21);
  t.equal(told.length, 3, 'it is told as alive again');
});

t.test('reports that are further apart than the messages are no sign of being stuck', async (t) => {
  const { told, state, watchdog, clock } = watched({ limitMs: 6000, intervalMs: 10_000 });
  await watchdog.start();
  for (let round = 0; round < 3; round += 1) {
    state.rounds += 1;
    await clock.advance(10_000);
  }
  t.equal(told.length, 1 + 15);
  await clock.advance(60_000);
  t.ok(told.length < 1 + 15 + 12, 'and without any report it is');
});

t.test('where nobody watches only the start is told', async (t) => {
  const { told, watchdog, clock } = watched();
  await watchdog.start();
  await clock.advance(100_000);
  t.same(told, ['READY=1']);
  t.equal(clock.waitingTimers, 0);
});

t.test('a service manager that cannot be told is no reason to stop', async (t) => {
  const { problems, state, watchdog, live } = watched({ limitMs: 60_000 });
  state.brokenPipe = true;
  await watchdog.start();
  await live(50);
  t.same(problems, ['cannot tell systemd that the agent runs, which will restart it: no such socket']);
});

t.test('what systemd asks for stands in the environment', async (t) => {
  const parts = { rounds: () => 0, intervalMs: 1000, pid: 7, clock: new ManualClock(), log: silentLog };
  t.equal(watchdogOf({ WATCHDOG_USEC: '60000000' }, parts), undefined, 'started by hand');
  t.ok(watchdogOf({ NOTIFY_SOCKET: '/run/systemd/notify', WATCHDOG_USEC: '60000000', WATCHDOG_PID: '7' }, parts));
});
