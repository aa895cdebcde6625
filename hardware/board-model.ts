import { join } from 'node:path';
import { readKernelText } from './kernel-file.ts';

/** What the device tree calls this board; undefined on machines without one, as PCs are. */
export async function readBoardModel(sysfs: string): Promise<string | undefined> {
  try {
    return (await readKernelText(join(sysfs, 'firmware/devicetree/base/model'))) || undefined;
  } catch {
    // Denied counts as not told.
    return undefined;
  }
}
