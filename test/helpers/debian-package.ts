import { access, constants } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { systemClock } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import { withFetchLock } from '../../provision/stack/fetch-lock.ts';
import { runTool } from './run-tool.ts';

const INSTALL_LIMIT_MS = 300_000;

/** Full path of the first of these programs that is on the path. */
export async function findProgram(...names: string[]): Promise<string | undefined> {
  for (const name of names) {
    for (const folder of (process.env.PATH ?? '').split(delimiter)) {
      const file = join(folder, name);
      if (await isThere(file, constants.X_OK)) return file;
    }
  }
  return undefined;
}

export async function isThere(file: string, mode: number = constants.F_OK): Promise<boolean> {
  return access(file, mode).then(
    () => true,
    () => false,
  );
}

/** Why packages can't be installed here; undefined when they can. */
export async function whyNoInstalling(): Promise<string | undefined> {
  if (!(await findProgram('apt-get'))) return 'this system has no apt-get';
  if (process.getuid?.() !== 0) return 'only root can install it with apt-get';
  return undefined;
}

/** Installs Debian packages, without what they only recommend. Throws with apt's own words. */
export async function installPackages(...names: string[]): Promise<void> {
  const lock = join(tmpdir(), 'ericht-test-apt');
  await withFetchLock(lock, { clock: systemClock, log: silentLog, limitMs: INSTALL_LIMIT_MS }, async () => {
    // The package lists may be missing or old; where they are neither, their download is spared.
    const install = ['install', '-y', '--no-install-recommends', ...names];
    await aptGet(install).catch(async () => {
      await aptGet(['update']);
      await aptGet(install);
    });
  });
}

/** Full path of a program, whose package is installed if need be. Throws with the reason why it can't be had. */
export async function requireProgram(program: string, debianPackage: string): Promise<string> {
  const found = await findProgram(program);
  if (found) return found;
  const why = await whyNoInstalling();
  if (why) throw new Error(`"${program}" is not installed, and ${why}`);
  await installPackages(debianPackage);
  const now = await findProgram(program);
  if (!now) throw new Error(`the package ${debianPackage} brought no "${program}"`);
  return now;
}

function aptGet(args: string[]): Promise<string> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return runTool('apt-get', ['-o', 'DPkg::Lock::Timeout=120', ...args], { env, limitMs: INSTALL_LIMIT_MS });
}
