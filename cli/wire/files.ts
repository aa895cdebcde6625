import { readFileSync } from 'node:fs';
import { ErichtError, reasonOf } from '../../lib/errors.ts';

/** The contents of a file that a setting names. Throws CONFIG_UNREADABLE naming the setting, never the contents. */
function readNamedFile(path: string, setting: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const what = `cannot read ${path}, which ${setting} names`;
    throw new ErichtError('CONFIG_UNREADABLE', { what, why: reasonOf(error), cause: error });
  }
}

/** A secret stands alone in its file; the line break that editors leave behind it is not part of it. */
export function readSecret(path: string, setting: string): string {
  const secret = readNamedFile(path, setting).replace(/\r?\n$/, '');
  if (secret !== '') return secret;
  throw new ErichtError('CONFIG_INVALID', { what: `${path}, which ${setting} names, is empty` });
}

interface TlsFiles {
  caFile?: string | undefined;
  certFile?: string | undefined;
  keyFile?: string | undefined;
}

/** The contents of the files of a `tls` section. */
export function readTls(
  tls: TlsFiles | undefined,
  section: string,
): { ca?: string; cert?: string; key?: string } | undefined {
  if (!tls) return undefined;
  const { caFile, certFile, keyFile } = tls;
  return {
    ...(caFile && { ca: readNamedFile(caFile, `${section}.caFile`) }),
    ...(certFile && { cert: readNamedFile(certFile, `${section}.certFile`) }),
    ...(keyFile && { key: readNamedFile(keyFile, `${section}.keyFile`) }),
  };
}
