import { readKernelText } from '../hardware/kernel-file.ts';

/**
 * Whether `procfs` speaks of the system that this process runs on: its own /proc, or the same seen from a container by
 * another path. A record of another board has another boot id, or none; its values must never mix with this system's.
 */
export async function isOwnSystem(procfs: string): Promise<boolean> {
  if (procfs === '/proc') return true;
  const [own, there] = await Promise.all(['/proc', procfs].map(bootIdOf));
  return own !== undefined && own !== '' && own === there;
}

async function bootIdOf(procfs: string): Promise<string | undefined> {
  return await readKernelText(`${procfs}/sys/kernel/random/boot_id`).catch(() => undefined);
}
