import { readdir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '../lib/atomic-file.ts';
import type { Clock } from '../lib/clock.ts';
import { ErichtError, reasonOf } from '../lib/errors.ts';
import { LockFile } from '../lib/lock-file.ts';
import type { Log } from '../lib/log.ts';
import { Rare } from '../lib/rare.ts';
import { Turns } from '../lib/turns.ts';
import { type EnergyTotals, encodeKeptEnergy, type KeptEnergy, readKeptEnergy } from './kept-energy.ts';

const FILE = 'energy.json';

/** A killed agent loses at most this much of its count, as long as the board stays up. */
const RUNTIME_EVERY_MS = 10_000;
/** A board that loses its supply loses at most this much: four writes a day are all that an SD card gets. */
const LASTING_EVERY_MS = 6 * 3_600_000;
const SAY_AGAIN_MS = 6 * 3_600_000;

/** Types of file systems in memory, in statfs(2): tmpfs and ramfs. */
const IN_MEMORY = [0x01021994, 0x858458f6];

export interface EnergyKeeperOptions {
  /** On disk, made if need be. */
  directory: string;
  /** In memory, such as systemd's RUNTIME_DIRECTORY; it has to be there. */
  runtimeDirectory?: string | undefined;
  clock: Clock;
  log: Log;
  /** Whether a directory is in memory; a test says so of its own. */
  isInMemory?: (path: string) => Promise<boolean>;
  /** Writes a whole file; a test lets it fail. */
  write?: (path: string, content: string) => Promise<void>;
}

/**
 * Carries the joules of the rails over a restart: in a file in memory, written every 10 s, and in one on disk, written at
 * a clean stop and every 6 hours. The younger of the two is believed, by a number that grows with each writing, because a
 * board's clock may be unset. Nothing here ever keeps an agent from measuring: what fails is said, and counting goes on.
 */
export class EnergyKeeper {
  readonly #options: EnergyKeeperOptions;
  readonly #lock: LockFile;
  readonly #rare: Rare;
  readonly #turns = new Turns();
  readonly #write: (path: string, content: string) => Promise<void>;
  #generation = 0;
  #opened = false;
  #mayWrite = false;
  #writing = false;
  #runtimeFile: string | undefined;
  #runtimeMs = 0;
  #lastingMs = 0;

  constructor(options: EnergyKeeperOptions) {
    this.#options = options;
    this.#lock = new LockFile(options.directory, options.clock);
    this.#rare = new Rare(options.clock, SAY_AGAIN_MS);
    this.#write = options.write ?? ((path, content) => writeFileAtomically(path, content, 0o640));
  }

  /** What was kept, by label. Keeps other agents from writing here. Never rejects. */
  async open(): Promise<EnergyTotals> {
    const { directory, clock } = this.#options;
    this.#mayWrite = await this.#takeLock();
    this.#runtimeFile = await this.#usableRuntimeFile();
    const lasting = await this.#read(join(directory, FILE));
    const runtime = this.#runtimeFile ? await this.#read(this.#runtimeFile) : undefined;
    const younger = (runtime?.generation ?? -1) >= (lasting?.generation ?? -1) ? runtime : lasting;
    this.#generation = younger?.generation ?? 0;
    if (this.#mayWrite) await this.#removeDrafts();
    const nowMs = clock.monotonicMs();
    this.#runtimeMs = nowMs;
    this.#lastingMs = nowMs;
    this.#opened = true;
    return younger?.rails ?? {};
  }

  /** Told at each reading; writes what is due and lets nobody wait. */
  note(totals: () => EnergyTotals): void {
    if (!this.#opened || !this.#mayWrite || this.#writing) return;
    const nowMs = this.#options.clock.monotonicMs();
    const lasting = nowMs - this.#lastingMs >= LASTING_EVERY_MS;
    const runtime = this.#runtimeFile !== undefined && nowMs - this.#runtimeMs >= RUNTIME_EVERY_MS;
    if (!lasting && !runtime) return;
    if (lasting) this.#lastingMs = nowMs;
    this.#runtimeMs = nowMs;
    this.#writing = true;
    void this.#turns
      .take(() => this.#keep(totals(), { lasting, runtime }))
      .finally(() => {
        this.#writing = false;
      });
  }

  /** Writes to disk for the last time, and lets others write. */
  async close(totals: EnergyTotals): Promise<void> {
    if (!this.#opened) return;
    this.#opened = false;
    await this.#turns.take(async () => {
      if (this.#mayWrite) await this.#keep(totals, { lasting: true, runtime: this.#runtimeFile !== undefined });
      await this.#lock.release();
    });
  }

  async #keep(rails: EnergyTotals, to: { lasting: boolean; runtime: boolean }): Promise<void> {
    this.#generation += 1;
    const content = encodeKeptEnergy({ generation: this.#generation, writtenAt: this.#options.clock.now(), rails });
    if (to.runtime) await this.#put(this.#runtimeFile!, content);
    if (to.lasting) await this.#put(join(this.#options.directory, FILE), content);
  }

  async #put(path: string, content: string): Promise<void> {
    try {
      await this.#write(path, content);
      this.#rare.over(path);
    } catch (error) {
      if (this.#rare.happened(path) === 0) return;
      this.#say(`cannot keep the energy counted so far in ${path}: ${reasonOf(error)}. Counting goes on`);
    }
  }

  async #takeLock(): Promise<boolean> {
    try {
      await this.#lock.acquire();
      return true;
    } catch (error) {
      const taken = error instanceof ErichtError && error.code === 'STATE_DIR_TAKEN';
      this.#say(`energy is not kept on disk: ${reasonOf(error)}`);
      // On a disk that can't be written, the file in memory still serves.
      return !taken;
    }
  }

  async #usableRuntimeFile(): Promise<string | undefined> {
    const { runtimeDirectory, isInMemory = inMemory } = this.#options;
    if (runtimeDirectory === undefined) return undefined;
    try {
      if (await isInMemory(runtimeDirectory)) return join(runtimeDirectory, FILE);
      this.#say(`${runtimeDirectory} is on a disk, which a write every 10 s would wear: energy is not kept there`);
    } catch (error) {
      this.#say(`energy is not kept in ${runtimeDirectory}: ${reasonOf(error)}`);
    }
    return undefined;
  }

  async #read(path: string): Promise<KeptEnergy | undefined> {
    try {
      return await readKeptEnergy(path);
    } catch (error) {
      this.#say(`the energy kept in ${path} can't be used: ${reasonOf(error)}`);
      return undefined;
    }
  }

  /** What a power cut left in the middle of a writing. */
  async #removeDrafts(): Promise<void> {
    const { directory } = this.#options;
    try {
      const drafts = (await readdir(directory)).filter(
        (name) => name.startsWith(`${FILE}.`) && name.endsWith('.draft'),
      );
      for (const name of drafts) await rm(join(directory, name), { force: true });
    } catch (error) {
      this.#options.log.debug({}, reasonOf(error));
    }
  }

  #say(message: string): void {
    this.#options.log.warn({}, message);
  }
}

async function inMemory(path: string): Promise<boolean> {
  return IN_MEMORY.includes((await statfs(path)).type);
}
