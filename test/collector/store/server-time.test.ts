import { test } from 'tap';
import { ServerTime } from '../../../collector/store/cassandra/server-time.ts';
import { ErichtError } from '../../../lib/errors.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';

const SERVER_AT = Date.UTC(2026, 5, 1);

/** What ServerTime needs of a connection, and a server whose clock the test sets. */
function stand() {
  const clock = new ManualClock(SERVER_AT + 300 * 86_400_000);
  const server = { at: SERVER_AT, asked: 0, isAway: false };
  const connection = {
    where: 'Cassandra at nowhere',
    reconnections: 0,
    execute: async () => {
      server.asked += 1;
      if (server.isAway) throw new ErichtError('STORE_UNREACHABLE', { what: 'cannot reach it' });
      return { first: () => ({ get: () => new Date(server.at) }) } as never;
    },
  };
  return { clock, server, connection, time: new ServerTime(connection, clock) };
}

test('counts on from what the server said, whatever happens to the wall clock here', async (t) => {
  const { clock, server, time } = stand();
  t.same(await Promise.all([time.now(), time.now()]), [SERVER_AT, SERVER_AT]);
  clock.sleepThrough(90_000);
  clock.jumpWall(-86_400_000);
  t.equal(await time.now(), SERVER_AT + 90_000);
  t.equal(server.asked, 1);
});

test('asks again after ten minutes and after a reconnection', async (t) => {
  const { clock, server, connection, time } = stand();
  await time.now();
  server.at = SERVER_AT + 5_000_000;
  clock.sleepThrough(600_000);
  t.equal(await time.now(), SERVER_AT + 5_000_000);
  server.at = SERVER_AT + 9_000_000;
  connection.reconnections += 1;
  t.equal(await time.now(), SERVER_AT + 9_000_000);
  t.equal(await time.now(), SERVER_AT + 9_000_000);
  t.equal(server.asked, 3);
});

test('while the server is away it rejects as a query does, and asks at the next call', async (t) => {
  const { server, time } = stand();
  server.isAway = true;
  await t.rejects(time.now(), { code: 'STORE_UNREACHABLE', retryable: true });
  server.isAway = false;
  t.equal(await time.now(), SERVER_AT);
});
