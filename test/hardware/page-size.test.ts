import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readPageSize } from '../../hardware/page-size.ts';

function procfs(root: string, entries: [number, number][]): string {
  mkdirSync(join(root, 'self'), { recursive: true });
  const words = new BigUint64Array(entries.flat().map(BigInt));
  writeFileSync(join(root, 'self/auxv'), Buffer.from(words.buffer));
  return root;
}

t.test('the page size is what the kernel told this process: 16 KiB on a Raspberry Pi 5', async (t) => {
  const entries: [number, number][] = [
    [16, 0xffff],
    [6, 16_384],
    [17, 100],
    [0, 0],
  ];
  t.equal(await readPageSize(procfs(t.testdir({}), entries)), 16_384);
});

t.test('another value of 6 is not taken for the entry of that type', async (t) => {
  const entries: [number, number][] = [
    [33, 6],
    [6, 4096],
    [0, 0],
  ];
  t.equal(await readPageSize(procfs(t.testdir({}), entries)), 4096);
});

t.test('where it is not told it is absent', async (t) => {
  t.equal(await readPageSize(t.testdir({})), undefined);
  t.equal(await readPageSize(procfs(t.testdir({}), [[0, 0]])), undefined);
  const torn = procfs(t.testdir({}), []);
  writeFileSync(join(torn, 'self/auxv'), Buffer.from([6, 0, 0, 0, 0, 0, 0, 0, 0, 16]));
  t.equal(await readPageSize(torn), undefined);
});
