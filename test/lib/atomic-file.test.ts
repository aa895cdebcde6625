import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { writeFileAtomically } from '../../lib/atomic-file.ts';
import { tempDir } from '../helpers/temp.ts';

t.test('makes a file with its mode, and replaces it as a whole', async (t) => {
  const path = join(await tempDir(t), 'state.json');
  await writeFileAtomically(path, 'long first content', 0o600);
  await writeFileAtomically(path, Buffer.from('short'), 0o600);
  t.equal(await readFile(path, 'utf8'), 'short');
  t.equal((await stat(path)).mode & 0o777, 0o600);
});

t.test('who reads while it is written sees the old content or the new', async (t) => {
  const path = join(await tempDir(t), 'state.json');
  const contents = ['a'.repeat(100_000), 'b'.repeat(100_000)];
  await writeFile(path, contents[0]!);
  let writing = true;
  const writes = (async () => {
    for (let n = 0; n < 20; n += 1) await writeFileAtomically(path, contents[n % 2]!);
    writing = false;
  })();
  while (writing) if (!contents.includes(await readFile(path, 'utf8'))) return t.fail('half of one');
  await writes;
  t.pass('always whole');
});

t.test('when it fails the old content stays and no draft is left', async (t) => {
  const directory = await tempDir(t);
  await mkdir(join(directory, 'state.json'));
  await t.rejects(writeFileAtomically(join(directory, 'state.json'), 'x'));
  t.same(await readdir(directory), ['state.json']);
});
