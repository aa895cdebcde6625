import { homedir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import { type Architecture, architecturesOf } from '../../provision/bundle/architecture.ts';
import { makeBundle } from '../../provision/bundle/bundle.ts';
import { cacheDirectory } from '../../provision/stack/fetch.ts';
import { runTool } from './run-tool.ts';

const PROJECT = join(import.meta.dirname, '../..');

/** Makes the bundle of a processor, this machine's if none is named, in a folder; resolves with the file. */
export function bundleInto(outDirectory: string, architecture: Architecture = architecturesOf()[0]!): Promise<string> {
  return makeBundle(architecture, {
    projectDirectory: PROJECT,
    outDirectory,
    cacheDirectory: cacheDirectory(process.env, homedir()),
    clock: systemClock,
    log: silentLog,
  });
}

/** Unpacks a bundle into a folder that is there; resolves with the folder of the bundle in it. */
export async function unpack(archive: string, folder: string): Promise<string> {
  await runTool('tar', ['-C', folder, '-xf', archive]);
  return join(folder, archive.replace(/^.*\/|\.tar\.gz$/g, ''));
}
