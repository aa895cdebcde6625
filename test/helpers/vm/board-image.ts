import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../lib/clock.ts';
import { silentLog } from '../../../lib/log.ts';
import { cacheDirectory } from '../../../provision/stack/fetch.ts';
import { withFetchLock } from '../../../provision/stack/fetch-lock.ts';
import { isThere, requireProgram } from '../debian-package.ts';
import { runTool } from '../run-tool.ts';

const RECIPE = ['build-image.sh', 'build-ina2xx.sh'];
const BUILD_LIMIT_MS = 600_000;

/** What this machine needs to build a board's disk and to run it; with the Debian package that brings each. */
const PROGRAMS: [program: string, debianPackage: string][] = [
  ['qemu-system-x86_64', 'qemu-system-x86'],
  ['mmdebstrap', 'mmdebstrap'],
  ['mke2fs', 'e2fsprogs'],
  ['ssh', 'openssh-client'],
  ['make', 'build-essential'],
  ['g++', 'build-essential'],
  ['python3', 'python3'],
  ['xz', 'xz-utils'],
];

/**
 * Folder with root.img, vmlinuz, initrd.img, key and known_hosts of a board that a VM runs. Built the first time, which
 * takes two minutes, and kept in the user's cache under the hash of its recipe. Throws with what this machine lacks.
 */
export async function boardImage(): Promise<string> {
  if (process.arch !== 'x64' || process.platform !== 'linux')
    throw new Error('the board of the VM is for x86-64 Linux');
  for (const [program, debianPackage] of PROGRAMS) await requireProgram(program, debianPackage);
  const boards = vmCache();
  const folder = join(boards, `board-${await recipeHash()}`);
  if (await isThere(folder)) return folder;
  if (process.getuid?.() !== 0) throw new Error("only root can build the board's disk");
  await mkdir(boards, { recursive: true });
  await withFetchLock(boards, { clock: systemClock, log: silentLog, limitMs: BUILD_LIMIT_MS }, async () => {
    if (await isThere(folder)) return;
    const draft = `${folder}.draft-${process.pid}`;
    try {
      await mkdir(draft);
      await runTool(join(import.meta.dirname, 'build-image.sh'), [draft], { limitMs: BUILD_LIMIT_MS });
      await rename(draft, folder);
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
  });
  return folder;
}

/** Where boards and what is built for them are kept. */
export function vmCache(): string {
  return join(cacheDirectory(process.env, homedir()), 'vm');
}

async function recipeHash(): Promise<string> {
  const hash = createHash('sha256').update(await readFile('/etc/os-release'));
  for (const file of RECIPE) hash.update(await readFile(join(import.meta.dirname, file)));
  return hash.digest('hex').slice(0, 16);
}
