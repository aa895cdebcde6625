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

test('an address that this machine does not have is told before anything is fetched', async (t) => {
  const ports = { kafka: 1, kafkaController: 1, cassandra: 1, cassandraStorage: 1 };
  const directory = await tempDir(t);
  const stack = new Stack({
    directory,
    cacheDir: directory,
    kafkaListen: '203.0.113.7',
    ports,
    clock: systemClock,
    log: silentLog,
  });
  await t.rejects(stack.start(), {
    code: 'USAGE',
    message: /^--kafka-listen: this machine has no address 203\.0\.113\.7\. It has .*127\.0\.0\.1/,
  });
});
