import { stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { makeDirectory } from '../../lib/make-directory.ts';
import { tempDir } from '../helpers/temp.ts';

t.test('makes what is missing, with its mode, and is content with what is there', async (t) => {
  const path = join(await tempDir(t), 'a', 'b');
  await makeDirectory(path, 0o700);
  await makeDirectory(path, 0o700);
  t.equal((await stat(path)).mode & 0o777, 0o700);
});

t.test('what cannot be made rejects and does not try for ever', async (t) => {
  const directory = await tempDir(t);
  await writeFile(join(directory, 'file'), '');
  await symlink(join(directory, 'nothing'), join(directory, 'dangling'));
  await t.rejects(makeDirectory(join(directory, 'file', 'x')), { code: 'ENOTDIR' });
  await t.rejects(makeDirectory(join(directory, 'dangling', 'x')), { code: 'ENOENT' });
  await t.rejects(makeDirectory('/proc/nowhere/x'), { code: 'ENOENT' }, { skip: process.platform !== 'linux' });
});
