import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import { ErichtError } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { makeDirectory } from '../../lib/make-directory.ts';
import { runCommand } from './command.ts';
import { withFetchLock } from './fetch-lock.ts';
import { renderPom } from './pom.ts';
import type { Product, Versions } from './versions.ts';

export interface FetchOptions {
  versions: Versions;
  /** Jars are kept in `jars/` below it; see cacheDirectory(). */
  cacheDir: string;
  clock: Clock;
  log: Log;
}

/** The first download is 110 MB for both servers; a slow line gets this long for each. */
const FETCH_LIMIT_MS = 600_000;

const INSTALL = 'install Maven, such as: apt-get install maven';

/** The user's cache folder, by the XDG base directory rules. */
export function cacheDirectory(env: Record<string, string | undefined>, home: string): string {
  const base = env.XDG_CACHE_HOME;
  return join(base?.startsWith('/') ? base : join(home, '.cache'), 'ericht');
}

/**
 * Folder with the jars of a server, fetched from Maven Central the first time. The folder is named by the content of
 * the pom and appears complete or not at all, so that processes may fetch at the same time.
 */
export async function fetchJars(product: Product, options: FetchOptions): Promise<string> {
  const { versions, cacheDir, clock, log } = options;
  const server = versions[product];
  const pom = renderPom(server, versions.maven.dependencyPlugin);
  const digest = createHash('sha256').update(pom).digest('hex').slice(0, 16);
  const folder = join(cacheDir, 'jars', `${product}-${server.version}-${digest}`);
  if (await exists(folder)) return folder;
  await withFetchLock(join(cacheDir, 'jars'), { clock, log, limitMs: FETCH_LIMIT_MS }, async () => {
    if (await exists(folder)) return;
    log.info({ product }, `Fetching ${product} ${server.version} from Maven Central (once; about 50 MB)`);
    const draft = `${folder}.draft-${process.pid}-${randomBytes(4).toString('hex')}`;
    try {
      await copyDependencies(draft, pom, clock);
      await verify(join(draft, 'lib'), product, server.jarsSha256);
      await rename(join(draft, 'lib'), folder);
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
  });
  return folder;
}

async function copyDependencies(folder: string, pom: string, clock: Clock): Promise<void> {
  await makeDirectory(folder);
  const pomFile = join(folder, 'pom.xml');
  await writeFile(pomFile, pom);
  const args = ['-q', '-B', '-Dstyle.color=never', '-f', pomFile, 'dependency:copy-dependencies'];
  const { exitCode, output } = await runCommand('mvn', args, { limitMs: FETCH_LIMIT_MS, clock, install: INSTALL });
  if (exitCode === 0) return;
  throw new ErichtError('DOWNLOAD_FAILED', {
    what: 'Maven could not fetch the jars',
    why: output.trim().split('\n').slice(0, 5).join('\n'),
    next: 'check the connection to Maven Central, or name a mirror in ~/.m2/settings.xml',
  });
}

async function verify(folder: string, product: Product, expected: string): Promise<void> {
  const found = await digestOfJars(folder);
  if (found === expected) return;
  throw new ErichtError('DOWNLOAD_FAILED', {
    what: `the jars of ${product} are not the pinned ones`,
    why: `their SHA-256 is ${found}, provision/versions.yaml has ${expected}`,
    next: 'fetch again from a trusted mirror, or update the pin after a change of version',
  });
}

/** One SHA-256 over the names and contents of all jars in a folder. */
export async function digestOfJars(folder: string): Promise<string> {
  const all = createHash('sha256');
  for (const name of (await readdir(folder)).sort()) {
    const one = createHash('sha256');
    for await (const chunk of createReadStream(join(folder, name))) one.update(chunk as Buffer);
    all.update(`${one.digest('hex')}  ${name}\n`);
  }
  return all.digest('hex');
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
