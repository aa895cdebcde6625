import { basename, dirname } from 'node:path';
import type { AppendFile, SpoolFiles } from '../../agent/spool/spool-files.ts';
import type { SeededRandom } from './seeded-random.ts';

function systemError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: as the test wants it`), { code });
}

/** A disk in memory that fills up, refuses, and forgets at a power cut what was not synced. */
export class FragileFiles implements SpoolFiles {
  readonly files = new Map<string, { bytes: Buffer; synced: number }>();
  /** Bytes that fit; a write that does not is cut short, as on a real disk. */
  capacity = Number.POSITIVE_INFINITY;
  /** Error codes that the next calls throw. */
  failing: { create?: string; append?: string; sync?: string; read?: string; remove?: string } = {};
  syncs = 0;

  async makeDirectory(): Promise<void> {}

  async list(path: string): Promise<string[]> {
    return [...this.files.keys()].filter((file) => dirname(file) === path).map((file) => basename(file));
  }

  async read(path: string): Promise<Buffer> {
    this.#fail('read');
    const file = this.files.get(path);
    if (!file) throw systemError('ENOENT');
    return Buffer.from(file.bytes);
  }

  async remove(path: string): Promise<void> {
    this.#fail('remove');
    this.files.delete(path);
  }

  async create(_directory: string, path: string): Promise<AppendFile> {
    this.#fail('create');
    if (this.files.has(path)) throw systemError('EEXIST');
    const file = { bytes: Buffer.alloc(0), synced: 0 };
    this.files.set(path, file);
    return {
      append: async (bytes) => {
        this.#fail('append');
        const room = this.capacity - this.#used();
        file.bytes = Buffer.concat([file.bytes, bytes.subarray(0, Math.max(0, room))]);
        if (room < bytes.length) throw systemError('ENOSPC');
      },
      sync: async () => {
        this.#fail('sync');
        this.syncs += 1;
        file.synced = file.bytes.length;
      },
      close: async () => {},
    };
  }

  /** What a disk may hold afterwards: everything synced, and any part of the rest, whole or as noise. */
  afterPowerCut(random: SeededRandom): FragileFiles {
    const left = new FragileFiles();
    for (const [path, { bytes, synced }] of this.files) {
      const kept = Buffer.from(bytes.subarray(0, random.int(synced, bytes.length)));
      if (random.next() < 0.5) for (let at = synced; at < kept.length; at += 1) kept[at] = random.int(0, 255);
      left.files.set(path, { bytes: kept, synced: kept.length });
    }
    return left;
  }

  #used(): number {
    return [...this.files.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  #fail(call: keyof FragileFiles['failing']): void {
    const code = this.failing[call];
    if (code) throw systemError(code);
  }
}
