import t from 'tap';
import { systemClock } from '../../lib/clock.ts';
import { startCron } from '../../lib/cron.ts';
import { until } from '../helpers/until.ts';

t.test('fires at the times of the expression until it is stopped', async (t) => {
  let fired = 0;
  const trigger = startCron(
    '* * * * * *',
    () => {
      fired += 1;
    },
    systemClock,
  );
  await until('two seconds went by', () => fired >= 2);
  trigger.stop();
  const before = fired;
  await new Promise((resolve) => setTimeout(resolve, 1100));
  t.equal(fired, before);
});

t.test('an expression that is none is refused with what to write', async (t) => {
  t.throws(() => startCron('every minute', () => {}, systemClock), { code: 'CONFIG_INVALID', next: /\*\/5/ });
});
