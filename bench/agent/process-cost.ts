import { readdir, readFile } from 'node:fs/promises';

/** The kernel tells times in hundredths of a second on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;

/** What one process has used since it was started. */
export interface ProcessCost {
  /** Its own and that of children it has waited for. */
  cpuSeconds: number;
  /** Page faults of children it has waited for: 0 as long as there was none. */
  childFaults: number;
  residentBytes: number;
  /** Most it ever had, its start included. */
  peakResidentBytes: number;
  /** Sent to the storage, not only to the cache. */
  writtenBytes: number;
}

/** Throws when there is no such process any more. Source: proc_pid_stat(5), proc_pid_status(5), proc_pid_io(5). */
export async function costOf(pid: number): Promise<ProcessCost> {
  const [stat, status, io] = await Promise.all(
    ['stat', 'status', 'io'].map((name) => readFile(`/proc/${pid}/${name}`, 'utf8')),
  );
  // The name, in brackets, may hold anything; the first field after it is the third.
  const fields = stat!.slice(stat!.lastIndexOf(')') + 2).split(' ');
  const field = (number: number) => Number(fields[number - 3]);
  return {
    cpuSeconds: (field(14) + field(15) + field(16) + field(17)) / TICKS_PER_SECOND,
    childFaults: field(11) + field(13),
    residentBytes: numberAfter('VmRSS', status!) * 1024,
    peakResidentBytes: numberAfter('VmHWM', status!) * 1024,
    writtenBytes: numberAfter('write_bytes', io!),
  };
}

/** CPU of a Docker Engine whose files lie in `folder`: dockerd, its containerd, and what stands beside each container. */
export async function engineCpuSeconds(folder: string): Promise<number> {
  let cpuSeconds = 0;
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const command = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
    const [program = ''] = command.split('\0');
    if (!command.includes(folder) || !/(?:^|\/)(?:dockerd|containerd|containerd-shim[\w-]*)$/.test(program)) continue;
    cpuSeconds += (await costOf(Number(name))).cpuSeconds;
  }
  return cpuSeconds;
}

function numberAfter(name: string, text: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? Number.NaN);
}
