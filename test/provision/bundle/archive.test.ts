import { chmod, mkdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { systemClock } from '../../../lib/clock.ts';
import { packFolder, sha256Of, writeChecksums } from '../../../provision/bundle/archive.ts';
import { runTool } from '../../helpers/run-tool.ts';
import { type Teardown, tempDir } from '../../helpers/temp.ts';

/** The same files, written in another order, at another time, by somebody with other habits. */
async function folderWith(t: Teardown, names: string[], { mode, time }: { mode: number; time: Date }) {
  const folder = join(await tempDir(t), 'thing');
  for (const name of names) {
    const file = join(folder, name);
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(file, `${name}\n`);
    await chmod(file, mode);
    await utimes(file, time, time);
  }
  return folder;
}

t.test('the same contents make the same bytes', { skip: process.platform !== 'linux' }, async (t) => {
  const names = ['b/two', 'bin/run', 'a', 'install.sh'];
  const first = await folderWith(t, names, { mode: 0o600, time: new Date(2001, 1) });
  const second = await folderWith(t, names.toReversed(), { mode: 0o644, time: new Date(2020, 1) });
  const archives = await Promise.all(
    [first, second].map(async (folder) => {
      await writeChecksums(folder);
      await packFolder(folder, `${folder}.tar.gz`, systemClock);
      return `${folder}.tar.gz`;
    }),
  );
  t.equal(await sha256Of(archives[0]!), await sha256Of(archives[1]!));
  t.match(await runTool('sh', ['-c', `cd ${first}/.. && sha256sum -c thing.tar.gz.sha256`]), 'thing.tar.gz: OK');
  t.match(await runTool('sh', ['-c', `cd ${second} && sha256sum -c SHA256SUMS`]), /^a: OK\nb\/two: OK\nbin\/run: OK\n/);
  const modes = (await runTool('tar', ['-tvf', archives[0]!]))
    .split('\n')
    .map((line) => line.replace(/ +.* thing/, ' '));
  t.same(modes.filter(Boolean).toSorted(), [
    '-rw-r--r-- /SHA256SUMS',
    '-rw-r--r-- /a',
    '-rw-r--r-- /b/two',
    '-rwxr-xr-x /bin/run',
    '-rwxr-xr-x /install.sh',
    'drwxr-xr-x /',
    'drwxr-xr-x /b/',
    'drwxr-xr-x /bin/',
  ]);
  await writeFile(join(second, 'a'), 'other');
  await packFolder(second, archives[1]!, systemClock);
  t.not(await readFile(archives[0]!, 'latin1'), await readFile(archives[1]!, 'latin1'));
});
