import { readdir, readFile } from 'node:fs/promises';
import { ErichtError } from '../../lib/errors.ts';

/** One step of a schema: `001-raw-tables.sql` has version 1. */
export interface SchemaFile {
  version: number;
  name: string;
  text: string;
}

/** Reads the numbered schema files of a folder in order. A gap or a double number is a mistake in the build. */
export async function readSchemaFiles(folder: URL): Promise<SchemaFile[]> {
  const names = (await readdir(folder)).filter((name) => /^\d{3}-.+\.(sql|cql)$/.test(name)).sort();
  const files: SchemaFile[] = [];
  for (const name of names) {
    const version = Number(name.slice(0, 3));
    if (version !== files.length + 1) {
      throw new ErichtError('UNEXPECTED', { what: 'the schema files are not numbered 1, 2, 3 ...', why: name });
    }
    files.push({ version, name, text: await readFile(new URL(name, folder), 'utf8') });
  }
  return files;
}

/** The statements of a schema file: split at semicolons, comments and blank ones left out. */
export function statementsOf(text: string): string[] {
  return text
    .replace(/^\s*--.*$/gm, '')
    .split(';')
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}

/** The tables are of a newer version than this process: nothing may be written by guessing. */
export function schemaTooNew(where: string, found: number, known: number): ErichtError {
  return new ErichtError('SCHEMA_TOO_NEW', {
    what: `the tables in ${where} are of schema version ${found}`,
    why: `this process knows versions up to ${known}`,
    next: 'run the newer version of Ericht that made them',
  });
}

/** The tables are older than a process that only reads them needs. */
export function schemaTooOld(where: string, found: number, known: number): ErichtError {
  return new ErichtError('SCHEMA_TOO_OLD', {
    what: `the tables in ${where} are of schema version ${found}`,
    why: `this process needs version ${known}`,
    next: 'start a collector of this version: it brings them up to date',
  });
}
