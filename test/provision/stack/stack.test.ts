import { test } from 'tap';
import { systemClock } from '../../../lib/clock.ts';
import { silentLog } from '../../../lib/log.ts';
import { Stack } from '../../../provision/stack/stack.ts';
import { freePort } from '../../helpers/free-port.ts';
import { tempDir } from '../../helpers/temp.ts';

test('a folder that cannot be made is told before anything is fetched', async (t) => {
  const ports = {
    kafka: await freePort(),
    kafkaController: await freePort(),
    cassandra: await freePort(),
    cassandraStorage: await freePort(),
  };
  const cacheDir = await tempDir(t);
  const stack = new Stack({ directory: '/proc/no-such/stack', cacheDir, ports, clock: systemClock, log: silentLog });
  await t.rejects(stack.start(), { code: 'STATE_DIR_UNUSABLE', message: /--dir/ });
});
