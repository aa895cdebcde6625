import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { isOwnSystem } from '../../agent/own-system.ts';

const isLinux = process.platform === 'linux' ? {} : { skip: 'there is no /proc' };

t.test("a container's view of its host is this system, a record of another board is not", isLinux, async (t) => {
  const own = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8');
  const tree = (boot_id: string) => ({ sys: { kernel: { random: { boot_id } } } });
  const root = t.testdir({
    host: tree(own),
    other: tree('3f0c4d5e-8a57-4f0e-9d5f-2f4a6b7c8d9e\n'),
    none: {},
    empty: tree(''),
  });
  t.equal(await isOwnSystem('/proc'), true);
  t.equal(await isOwnSystem(join(root, 'host')), true);
  for (const name of ['other', 'none', 'empty']) t.equal(await isOwnSystem(join(root, name)), false, name);
});
