import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildI2c } from '../../hardware/build-i2c.ts';
import type { Log } from '../../lib/log.ts';
import type { Architecture } from './architecture.ts';

/** What is compiled, and what it needs for that. */
export const ADDON_PACKAGES = ['i2c-bus', 'nan', 'bindings', 'file-uri-to-path'];

export interface AddonOptions {
  projectDirectory: string;
  /** An empty folder to work in. */
  workDirectory: string;
  /** Folder of the Node that it is made for. */
  nodePackage: string;
  log: Log;
}

/** Compiles i2c-bus for a processor, this machine's or the other; resolves with the file. Throws TOOL_MISSING. */
export async function buildAddon(architecture: Architecture, options: AddonOptions): Promise<string> {
  const { projectDirectory, workDirectory, nodePackage, log } = options;
  for (const name of ADDON_PACKAGES) {
    await cp(join(projectDirectory, 'node_modules', name), join(workDirectory, 'node_modules', name), {
      recursive: true,
      filter: (source) => !source.endsWith(`${name}/build`),
    });
  }
  await writeFile(join(workDirectory, 'package.json'), '{"private":true,"dependencies":{"i2c-bus":"*"}}');
  buildI2c({ projectDirectory: workDirectory, nodePackage, architecture, strip: true, log });
  return join(workDirectory, 'node_modules/i2c-bus/build/Release/i2c.node');
}
