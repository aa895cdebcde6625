import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { readKernelText } from '../../hardware/kernel-file.ts';
import type { Clock } from '../../lib/clock.ts';
import { roundTo } from '../../lib/round.ts';

export interface ContainerUsageReading {
  cpuUsageRatio?: number;
  memoryBytes?: number;
}

interface Known {
  directory: string;
  usageMicroseconds: number | undefined;
  atMs: number;
}

/**
 * CPU and memory of containers from their cgroup v2 files, which costs the engine nothing. Absent on cgroup v1, and
 * memory absent where the kernel was started without its controller, as Raspberry Pi kernels are.
 */
export class ContainerUsage {
  readonly #root: string;
  readonly #clock: Clock;
  readonly #known = new Map<string, Known>();
  #unified: boolean | undefined;

  constructor(sysfs: string, clock: Clock) {
    this.#root = join(sysfs, 'fs/cgroup');
    this.#clock = clock;
  }

  /** CPU since the call before that named the container: none at the first. */
  async read(containerIds: string[], signal: AbortSignal): Promise<Map<string, ContainerUsageReading>> {
    const readings = new Map<string, ContainerUsageReading>();
    if (containerIds.length === 0 || !(await this.#isUnified())) return readings;
    for (const id of containerIds) {
      const directory = this.#known.get(id)?.directory ?? (await this.#find(id));
      if (directory === undefined) continue;
      const atMs = this.#clock.monotonicMs();
      const usageMicroseconds = numberOf(await readKernelText(join(directory, 'cpu.stat'), signal), 'usage_usec');
      readings.set(id, { ...this.#cpu(id, usageMicroseconds, atMs), ...(await this.#memory(directory, signal)) });
      if (usageMicroseconds === undefined) this.#known.delete(id);
      else this.#known.set(id, { directory, usageMicroseconds, atMs });
    }
    return readings;
  }

  /** Forgets all others. */
  keepOnly(containerIds: string[]): void {
    const kept = new Set(containerIds);
    for (const id of this.#known.keys()) if (!kept.has(id)) this.#known.delete(id);
  }

  /** Only the root of cgroup v2 has this file. Asked once: it takes a boot to change. */
  async #isUnified(): Promise<boolean> {
    this.#unified ??= (await readKernelText(join(this.#root, 'cgroup.controllers'))) !== undefined;
    return this.#unified;
  }

  #cpu(id: string, usageMicroseconds: number | undefined, atMs: number): ContainerUsageReading {
    const before = this.#known.get(id);
    if (before?.usageMicroseconds === undefined || usageMicroseconds === undefined) return {};
    const elapsedMs = atMs - before.atMs;
    const used = usageMicroseconds - before.usageMicroseconds;
    // A restarted container counts from 0 again.
    if (elapsedMs <= 0 || used < 0) return {};
    return { cpuUsageRatio: roundTo(used / 1000 / elapsedMs, 4) };
  }

  async #memory(directory: string, signal: AbortSignal): Promise<ContainerUsageReading> {
    const current = Number(await readKernelText(join(directory, 'memory.current'), signal));
    if (!Number.isFinite(current)) return {};
    const cache = numberOf(await readKernelText(join(directory, 'memory.stat'), signal), 'inactive_file') ?? 0;
    return { memoryBytes: Math.max(0, current - cache) };
  }

  /** Docker's systemd driver and its cgroupfs driver put containers in different places. */
  async #find(id: string): Promise<string | undefined> {
    for (const directory of [join(this.#root, `system.slice/docker-${id}.scope`), join(this.#root, 'docker', id)]) {
      try {
        await access(join(directory, 'cpu.stat'));
        return directory;
      } catch {
        // Not this driver's place, or the container has just ended.
      }
    }
    return undefined;
  }
}

function numberOf(text: string | undefined, key: string): number | undefined {
  const match = text === undefined ? null : new RegExp(`^${key} (\\d+)$`, 'm').exec(text);
  return match ? Number(match[1]) : undefined;
}
