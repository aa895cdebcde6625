import t from 'tap';
import { systemClock } from '../../lib/clock.ts';
import { startCron } from '../../lib/cron.ts';
import { until } from '../helpers/until.ts';

t.test('fires at the times of the expression until it is stopped', async (t) => {
  const fired: string[] = [];
  const everySecond = (name: string) => {
    const trigger = startCron('* * * * * *', () => fired.push(name), systemClock);
    t.teardown(() => trigger.stop());
    return trigger;
  };
  const [stopped] = [everySecond('stopped'), everySecond('other')];
  const times = (name: string) => fired.filter((each) => each === name).length;
  await until('both have fired twice', () => times('stopped') >= 2 && times('other') >= 2);
  stopped.stop();
  fired.length = 0;
  await until('the other one has fired twice more', () => times('other') >= 2);
  t.equal(times('stopped'), 0);
});

t.test('an expression that is none is refused with what to write', async (t) => {
  t.throws(() => startCron('every minute', () => {}, systemClock), { code: 'CONFIG_INVALID', next: /\*\/5/ });
});
