import { copyFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import { makeDirectory } from '../../lib/make-directory.ts';
import { ADDON_PACKAGES, buildAddon } from './addon.ts';
import type { Architecture } from './architecture.ts';
import { packFolder, writeChecksums } from './archive.ts';
import { licencesOf } from './licences.ts';
import { pinnedNode } from './pinned-node.ts';
import { bundleProgram } from './program.ts';

export interface BundleOptions {
  projectDirectory: string;
  /** Where the archives go; made if it isn't there. */
  outDirectory: string;
  /** What was fetched is kept here. */
  cacheDirectory: string;
  clock: Clock;
  log: Log;
}

/**
 * An agent does little, and the same again each second: it runs without compiled JavaScript, with a small young generation,
 * a heap that starts small and grows slowly, and one malloc heap for all threads. That is 25 MB less than Node's defaults
 * take. Without compiled code systemd can forbid all that is written and then run.
 */
const LAUNCHER = `#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
export MALLOC_ARENA_MAX=1
exec "$here/node" --jitless --max-lazy --max-semi-space-size=1 --initial-heap-size=1 --heap-growing-percent=10 "$here/../lib/ericht.mjs" "$@"
`;

/**
 * Makes ericht-VERSION-linux-ARCHITECTURE.tar.gz: all that one board needs, to be unpacked and installed there without
 * internet. The same sources make the same bytes. Resolves with the file.
 */
export async function makeBundle(architecture: Architecture, options: BundleOptions): Promise<string> {
  const { projectDirectory, outDirectory, clock, log } = options;
  const work = await mkdtemp(join(tmpdir(), 'ericht-bundle-'));
  try {
    const nodePackage = await pinnedNode(architecture, options);
    const version = await versionOf(projectDirectory);
    const name = `ericht-${version}-linux-${architecture}`;
    const tree = join(work, name);
    await mkdir(join(tree, 'bin'), { recursive: true });
    await mkdir(join(tree, 'lib'));
    const program = await bundleProgram(projectDirectory);
    await writeFile(join(tree, 'lib/ericht.mjs'), program.code);
    await mkdir(join(work, 'addon'));
    const addon = await buildAddon(architecture, {
      projectDirectory,
      workDirectory: join(work, 'addon'),
      nodePackage,
      log,
    });
    await copyFile(addon, join(tree, 'lib/i2c.node'));
    await copyFile(join(nodePackage, 'bin/node'), join(tree, 'bin/node'));
    await writeFile(join(tree, 'bin/ericht'), LAUNCHER);
    const manifest = { name: 'ericht', version, type: 'module', os: ['linux'], cpu: [architecture] };
    await writeFile(join(tree, 'package.json'), `${JSON.stringify(manifest)}\n`);
    await cp(join(projectDirectory, 'provision/install'), tree, { recursive: true });
    await copyFile(join(projectDirectory, 'LICENSE'), join(tree, 'LICENSE'));
    const compiledIn = ADDON_PACKAGES.map((one) => join(projectDirectory, 'node_modules', one));
    const packages = [...new Set([...program.packages, ...compiledIn])].toSorted();
    await writeFile(join(tree, 'THIRD-PARTY-LICENCES.txt'), await licencesOf([nodePackage, ...packages]));
    await writeChecksums(tree);
    await makeDirectory(outDirectory, 0o755);
    const file = join(outDirectory, `${name}.tar.gz`);
    await packFolder(tree, file, clock);
    return file;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function versionOf(projectDirectory: string): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(join(projectDirectory, 'package.json'), 'utf8'));
  return (manifest as { version: string }).version;
}
