import { open, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, sleep } from './clock.ts';
import { ErichtError } from './errors.ts';
import { makeDirectory } from './make-directory.ts';

const CLAIM_NAME = /^lock\.(\d+)\.(\d+)\.([0-9a-z-]+)$/;
const ATTEMPTS = 5;

/** One holder of a claim: a pid alone would be taken for alive after a reboot or when the number is used again. */
interface Holder {
  pid: number;
  /** Start of the process in clock ticks since boot (proc(5), field 22); 0 where there is no /proc. */
  startTicks: number;
  bootId: string;
}

/**
 * Keeps a second process out of a directory. Each contender first puts down a claim under a name of its own and then
 * looks for others, so that of two at the same time at least the later looker sees both: they may both step back and
 * try again, but never both hold it. Claims of dead processes and earlier boots are removed on the way.
 * Processes that share the directory from different containers can't see each other's pids and are not kept apart.
 */
export class LockFile {
  readonly #directory: string;
  readonly #clock: Clock;
  #claim: string | undefined;

  constructor(directory: string, clock: Clock) {
    this.#directory = directory;
    this.#clock = clock;
  }

  get held(): boolean {
    return this.#claim !== undefined;
  }

  /** Makes the directory if need be. Throws STATE_DIR_TAKEN; what the file system refuses is thrown as it came. */
  async acquire(): Promise<void> {
    if (this.#claim) return;
    await makeDirectory(this.#directory);
    const self = await holderOf(process.pid);
    const name = `lock.${self.pid}.${self.startTicks}.${self.bootId}`;
    const claim = join(this.#directory, name);
    for (let attempt = 1; ; attempt += 1) {
      await this.#putDown(claim);
      const rival = await this.#liveRival(name, self);
      if (rival === undefined) break;
      await rm(claim, { force: true });
      if (attempt === ATTEMPTS) throw taken(this.#directory, rival);
      await sleep(this.#clock, Math.random() * 40 * attempt);
    }
    this.#claim = claim;
  }

  async release(): Promise<void> {
    const claim = this.#claim;
    this.#claim = undefined;
    if (claim) await rm(claim, { force: true });
  }

  /** A second lock within the same process finds its own claim there: it is taken, too. */
  async #putDown(claim: string): Promise<void> {
    try {
      await (await open(claim, 'wx', 0o640)).close();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      throw taken(this.#directory, process.pid);
    }
  }

  async #liveRival(ownName: string, self: Holder): Promise<number | undefined> {
    for (const name of await readdir(this.#directory)) {
      const match = CLAIM_NAME.exec(name);
      if (!match || name === ownName) continue;
      const [pid, startTicks, bootId] = [Number(match[1]), Number(match[2]), match[3]];
      if (bootId === self.bootId && (await isAlive(pid, startTicks))) return pid;
      await rm(join(this.#directory, name), { force: true });
    }
    return undefined;
  }
}

function taken(where: string, pid: number): ErichtError {
  return new ErichtError('STATE_DIR_TAKEN', {
    what: `${where} is in use by process ${pid}`,
    why: 'two processes must not write to one state directory',
    next: 'stop that process, or give this one a directory of its own',
  });
}

async function holderOf(pid: number): Promise<Holder> {
  const bootId = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => 'unknown');
  return { pid, startTicks: (await lookAt(pid))?.startTicks ?? 0, bootId: bootId.trim() };
}

async function isAlive(pid: number, startTicks: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is there and belongs to another user.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const found = await lookAt(pid);
  if (found?.isZombie) return false;
  return found === undefined || startTicks === 0 || found.startTicks === startTicks;
}

/**
 * Undefined where /proc can't tell. A zombie has ended and writes nothing, however long its parent (the first process
 * of a container, say) leaves it there. The command in the second field may hold spaces and brackets, hence lastIndexOf.
 */
async function lookAt(pid: number): Promise<{ startTicks: number; isZombie: boolean } | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
  const startTicks = Number(fields[19]);
  return Number.isFinite(startTicks) ? { startTicks, isZombie: fields[0] === 'Z' || fields[0] === 'X' } : undefined;
}
