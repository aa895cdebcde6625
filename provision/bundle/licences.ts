import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const manifestSchema = z.object({ name: z.string(), version: z.string(), license: z.string().default('') });

const LICENCE_FILE = /^(?:licen[cs]e|copying|notice)/i;

/** The licences of what a bundle carries, one after the other, from the packages' own folders. */
export async function licencesOf(packageFolders: string[]): Promise<string> {
  const texts = await Promise.all(packageFolders.map(licenceOf));
  return texts.join(`\n${'-'.repeat(80)}\n\n`);
}

async function licenceOf(folder: string): Promise<string> {
  const manifest = manifestSchema.parse(JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')));
  const files = (await readdir(folder)).filter((name) => LICENCE_FILE.test(name)).toSorted();
  const texts = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')));
  return `${manifest.name} ${manifest.version} (${manifest.license || 'see below'})\n\n${texts.join('\n')}`;
}
