import { mkdir, readdir, realpath, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findProgram } from './debian-package.ts';
import type { DockerEngine } from './docker-engine.ts';
import { runTool } from './run-tool.ts';

export interface LocalImage {
  /** As compose.yaml names it. */
  tag: string;
  jars: string;
  /** Where the image of that name has its jars. */
  jarsIn: string;
  user: { name: string; id: number };
  /** Folder that the user may write to. */
  data: string;
}

/** What the start scripts and health checks call. */
const PROGRAMS = ['bash', 'sh', 'cat', 'head', 'od', 'tr', 'ls', 'id'];

/**
 * Makes an image with the programs, paths and user that compose.yaml relies on, out of this machine's own Java and the
 * jars from Maven Central: for where no image can be pulled. `folder` must be empty.
 */
export async function buildLocalImage(engine: DockerEngine, image: LocalImage, folder: string): Promise<void> {
  const { user, data, jarsIn, jars, tag } = image;
  await makeFolders(folder);
  await writeFile(
    join(folder, 'etc/passwd'),
    `root:x:0:0::/:/bin/sh\n${user.name}:x:${user.id}:${user.id}::/:/bin/sh\n`,
  );
  await writeFile(join(folder, 'etc/group'), `root:x:0:\n${user.name}:x:${user.id}:\n`);
  await copyPrograms(folder, PROGRAMS);
  await copyJava(folder);
  await mkdir(dirname(join(folder, jarsIn)), { recursive: true });
  await runTool('cp', ['-r', jars, join(folder, jarsIn)]);
  await mkdir(join(folder, data), { recursive: true });
  await runTool('chown', [`${user.id}:${user.id}`, join(folder, data)]);
  await runTool('chmod', ['1777', join(folder, 'tmp')]);
  await importImage(engine, tag, folder);
}

/** Makes an image with a shell and a few small programs of this machine. `folder` must be empty. */
export async function buildShellImage(engine: DockerEngine, tag: string, folder: string): Promise<void> {
  await makeFolders(folder);
  await copyPrograms(folder, ['sh', 'sleep', 'cat', 'touch', 'rm']);
  await importImage(engine, tag, folder);
}

async function makeFolders(folder: string): Promise<void> {
  const folders = ['usr/bin', 'usr/lib', 'usr/lib64', 'etc', 'tmp'];
  await Promise.all(folders.map((name) => mkdir(join(folder, name), { recursive: true })));
  for (const name of ['bin', 'lib', 'lib64']) await symlink(`usr/${name}`, join(folder, name));
}

async function importImage(engine: DockerEngine, tag: string, folder: string): Promise<void> {
  const archive = `${folder}.tar`;
  await runTool('tar', ['-C', folder, '-cf', archive, '.']);
  await engine.docker('import', '--change', 'ENV PATH=/usr/bin', archive, tag);
}

async function copyPrograms(folder: string, names: string[]): Promise<void> {
  for (const name of names) {
    const file = await findProgram(name);
    if (!file) throw new Error(`no "${name}" on this machine`);
    await runTool('cp', ['-L', file, join(folder, 'usr/bin', name)]);
    await copyLibraries(folder, [file]);
  }
}

async function copyJava(folder: string): Promise<void> {
  const found = await findProgram('java');
  if (!found) throw new Error('no Java on this machine');
  const java = await realpath(found);
  const home = dirname(dirname(java));
  await mkdir(dirname(join(folder, home)), { recursive: true });
  await runTool('cp', ['-a', home, join(folder, home)]);
  // Debian keeps the runtime's settings below /etc and links to them.
  for (const name of await readdir('/etc')) {
    if (/^java-\d+-openjdk$/.test(name)) await runTool('cp', ['-a', `/etc/${name}`, join(folder, 'etc')]);
  }
  await symlink(java, join(folder, 'usr/bin/java'));
  const libraries = await readdir(join(home, 'lib'), { recursive: true });
  await copyLibraries(folder, [
    java,
    ...libraries.filter((name) => name.endsWith('.so')).map((name) => join(home, 'lib', name)),
  ]);
}

/** Copies what these files are linked against, as the loader finds it. */
async function copyLibraries(folder: string, files: string[]): Promise<void> {
  const listing = await runTool('ldd', files);
  const libraries = [...listing.matchAll(/(?:=> |^\s+)(\/\S+) \(0x/gm)].map((match) => match[1] ?? '');
  for (const library of new Set(libraries)) {
    if (!library.includes('/jvm/')) await runTool('cp', ['-L', '--parents', library, folder]);
  }
}
