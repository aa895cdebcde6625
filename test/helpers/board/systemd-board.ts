import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../lib/clock.ts';
import { silentLog } from '../../../lib/log.ts';
import { cacheDirectory } from '../../../provision/stack/fetch.ts';
import { withFetchLock } from '../../../provision/stack/fetch-lock.ts';
import { isThere, requireProgram } from '../debian-package.ts';
import type { DockerEngine } from '../docker-engine.ts';
import { runTool } from '../run-tool.ts';
import { until } from '../until.ts';

const BUILD_LIMIT_MS = 300_000;
const BOOT_LIMIT_MS = 60_000;
const RECIPE = ['build-base.sh', 'board-init.sh'];

/** The image that a board is started from: a small Debian with systemd. */
export const BOARD_IMAGE = 'ericht-test-board';

/** What systemd needs to be the first process of a container, without `--privileged` and without the machine's disks. */
const LIKE_A_MACHINE = [
  ...['--cgroupns', 'private', '--cap-add', 'ALL', '--cap-drop', 'SYS_RESOURCE', '--cap-drop', 'SYS_TIME'],
  ...['--security-opt', 'seccomp=unconfined', '--security-opt', 'apparmor=unconfined'],
  ...['--security-opt', 'systempaths=unconfined', '--device-cgroup-rule', 'c *:* rwm'],
  ...['--stop-signal', 'SIGRTMIN+3', '--tmpfs', '/run:exec,mode=755', '--tmpfs', '/run/lock', '--tmpfs', '/tmp:exec'],
];

/** A fresh board with its own systemd, as a container that reaches no network at all. */
export class SystemdBoard {
  readonly #engine: DockerEngine;
  readonly #name: string;

  private constructor(engine: DockerEngine, name: string) {
    this.#engine = engine;
    this.#name = name;
  }

  /** Resolves when its systemd has come up. Ends with its engine. */
  static async start(engine: DockerEngine, name: string): Promise<SystemdBoard> {
    await importBoardImage(engine);
    const run = ['run', '--detach', '--name', name, '--hostname', name, '--network', 'none', ...LIKE_A_MACHINE];
    await engine.docker(...run, BOARD_IMAGE, '/sbin/board-init');
    const board = new SystemdBoard(engine, name);
    const isUp = () => board.run('systemctl is-system-running || :').then((state) => /running|degraded/.test(state));
    await until('systemd is up', () => isUp().catch(() => false), { limitMs: BOOT_LIMIT_MS, everyMs: 250 });
    return board;
  }

  /** Runs a command of its shell and returns what it printed; throws with it where it fails. */
  run(command: string): Promise<string> {
    return this.#engine.docker('exec', this.#name, 'sh', '-c', command);
  }

  async copy(from: string, to: string): Promise<void> {
    await this.#engine.docker('cp', from, `${this.#name}:${to}`);
  }
}

/** Gives an engine the image of a board. Built the first time, and kept in the user's cache. */
export async function importBoardImage(engine: DockerEngine): Promise<void> {
  const known = await engine.docker('images', '--quiet', BOARD_IMAGE);
  if (known.trim() === '') await engine.docker('import', await baseArchive(), BOARD_IMAGE);
}

async function baseArchive(): Promise<string> {
  await requireProgram('mmdebstrap', 'mmdebstrap');
  const folder = join(cacheDirectory(process.env, homedir()), 'boards');
  const file = join(folder, `board-${await recipeHash()}.tar`);
  if (await isThere(file)) return file;
  if (process.getuid?.() !== 0) throw new Error('only root can build the system of a board');
  await mkdir(folder, { recursive: true });
  await withFetchLock(folder, { clock: systemClock, log: silentLog, limitMs: BUILD_LIMIT_MS }, async () => {
    if (await isThere(file)) return;
    const draft = `${file}.draft-${process.pid}.tar`;
    try {
      await runTool(join(import.meta.dirname, 'build-base.sh'), [draft], { limitMs: BUILD_LIMIT_MS });
      await rename(draft, file);
    } finally {
      await rm(draft, { force: true });
    }
  });
  return file;
}

async function recipeHash(): Promise<string> {
  const hash = createHash('sha256').update(process.arch);
  for (const file of RECIPE) hash.update(await readFile(join(import.meta.dirname, file)));
  return hash.digest('hex').slice(0, 16);
}
