import { createHash } from 'node:crypto';
import { access, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Clock } from '../../lib/clock.ts';
import { ErichtError } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { makeDirectory } from '../../lib/make-directory.ts';
import { runCommand } from '../stack/command.ts';
import type { Architecture } from './architecture.ts';

const FETCH_LIMIT_MS = 600_000;

const lockSchema = z.object({
  packages: z.record(
    z.string(),
    z.object({ version: z.string().optional(), integrity: z.string().startsWith('sha512-').optional() }),
  ),
});

export interface PinnedNodeOptions {
  projectDirectory: string;
  /** The package of another processor's Node is kept here. */
  cacheDirectory: string;
  clock: Clock;
  log: Log;
}

/**
 * Folder of the npm package that holds the pinned Node for a processor: its program and its headers. npm installs that of
 * this machine alone; that of the other comes from the registry that npm is set up with, and is believed only if it is
 * what package-lock.json pins. Throws DOWNLOAD_FAILED.
 */
export async function pinnedNode(architecture: Architecture, options: PinnedNodeOptions): Promise<string> {
  const { projectDirectory, cacheDirectory } = options;
  const name = `node-linux-${architecture}`;
  const installed = join(projectDirectory, 'node_modules', name);
  if (await isThere(join(installed, 'bin/node'))) return installed;
  const lock = lockSchema.parse(JSON.parse(await readFile(join(projectDirectory, 'package-lock.json'), 'utf8')));
  const { version, integrity } = lock.packages[`node_modules/${name}`] ?? {};
  if (!version || !integrity) throw failed(name, 'package-lock.json does not pin it', 'run npm install once');
  const kept = join(cacheDirectory, 'node', `${name}-${version}`);
  if (!(await isThere(join(kept, 'bin/node')))) await fetchPackage(`${name}@${version}`, integrity, kept, options);
  return kept;
}

async function fetchPackage(wanted: string, integrity: string, kept: string, options: PinnedNodeOptions) {
  const { projectDirectory, clock, log } = options;
  log.info({}, `Fetching ${wanted} from the registry of npm (once; about 50 MB)`);
  await makeDirectory(join(kept, '..'));
  const draft = await mkdtemp(`${kept}.draft-`);
  const run = async (command: string, args: string[]) => {
    const { exitCode, output } = await runCommand(command, args, {
      limitMs: FETCH_LIMIT_MS,
      clock,
      install: 'npm comes with Node.js, tar with every Linux',
    });
    if (exitCode !== 0) throw failed(wanted, output.trim().split('\n').slice(-5).join('\n'), 'check the connection');
  };
  try {
    await run('npm', ['--prefix', projectDirectory, 'pack', '--silent', wanted, '--pack-destination', draft]);
    const archive = join(draft, (await readdir(draft)).find((file) => file.endsWith('.tgz')) ?? '');
    const found = `sha512-${createHash('sha512')
      .update(await readFile(archive))
      .digest('base64')}`;
    if (found !== integrity) {
      throw failed(wanted, `its checksum is ${found}, package-lock.json has ${integrity}`, 'use a trusted registry');
    }
    await run('tar', ['-C', draft, '-xf', archive]);
    await rename(join(draft, 'package'), kept).catch(async (error) => {
      // Another process was as quick.
      if (!(await isThere(join(kept, 'bin/node')))) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

function failed(name: string, why: string, next: string): ErichtError {
  return new ErichtError('DOWNLOAD_FAILED', { what: `cannot get ${name}`, why, next });
}

function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
