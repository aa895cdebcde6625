import { chmod, copyFile, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleInto, unpack } from '../make-bundle.ts';
import { runTool } from '../run-tool.ts';

/** Where the board has the unpacked bundle. */
export const BUNDLE = '/media/ericht/bundle';

/** Makes a disk of what of the project runs on the board, `file`: the bundle for boards, and `chip` for their chips. */
export async function makePayload(file: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'ericht-payload-'));
  try {
    const tree = join(folder, 'tree');
    await mkdir(tree);
    await rename(await unpack(await bundleInto(folder, 'x64'), folder), join(tree, 'bundle'));
    await copyFile(join(import.meta.dirname, 'chip.sh'), join(tree, 'chip'));
    await chmod(join(tree, 'chip'), 0o755);
    await rm(file, { force: true });
    await runTool('mke2fs', ['-q', '-t', 'ext4', '-E', 'root_owner=0:0', '-d', tree, file, '256M']);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
