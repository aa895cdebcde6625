import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Clock } from '../../lib/clock.ts';
import { ErichtError } from '../../lib/errors.ts';
import { runCommand } from '../stack/command.ts';

/** Of every file in an archive, so that it tells nothing of when it was made; tar warns of 1970. */
const FILE_TIME = '2000-01-01T00:00:00Z';
const TAR_LIMIT_MS = 120_000;

export async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Writes SHA256SUMS of all files below a folder, as `sha256sum -c` reads it. */
export async function writeChecksums(folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const lines = await Promise.all(
    files.toSorted().map(async (file) => `${await sha256Of(file)}  ${file.slice(folder.length + 1)}\n`),
  );
  await writeFile(join(folder, 'SHA256SUMS'), lines.join(''));
}

/**
 * Packs a folder into FILE, and its checksum into FILE.sha256: the same bytes whenever, wherever and by whomever it is
 * done. Programs keep their right to be run; all else is readable by all, writable by root.
 */
export async function packFolder(folder: string, file: string, clock: Clock): Promise<void> {
  await settleModes(folder);
  const tar = `${file}.${process.pid}.tar`;
  const draft = `${file}.${process.pid}.draft`;
  try {
    const fixed = [
      '--format=ustar',
      '--sort=name',
      `--mtime=${FILE_TIME}`,
      '--owner=0',
      '--group=0',
      '--numeric-owner',
    ];
    const { exitCode, output } = await runCommand(
      'tar',
      [...fixed, '-C', dirname(folder), '-cf', tar, basename(folder)],
      { limitMs: TAR_LIMIT_MS, clock, install: 'install GNU tar' },
    );
    if (exitCode !== 0) throw new ErichtError('UNEXPECTED', { what: `cannot write ${tar}`, why: output.trim() });
    await pipeline(createReadStream(tar), createGzip(), createWriteStream(draft));
    await rename(draft, file);
    await writeFile(`${file}.sha256`, `${await sha256Of(file)}  ${basename(file)}\n`);
  } finally {
    await Promise.all([rm(tar, { force: true }), rm(draft, { force: true })]);
  }
}

async function settleModes(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const isProgram = entry.isDirectory() || basename(entry.parentPath) === 'bin' || entry.name.endsWith('.sh');
    await chmod(join(entry.parentPath, entry.name), isProgram ? 0o755 : 0o644);
  }
}
