import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';

const coordinate = z.string().regex(/^[\w.-]+:[\w.-]+:[\w.-]+$/, 'group:artifact:version');
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in hex');

const serverSchema = z.strictObject({
  version: z.string(),
  image: z.string(),
  jars: z.array(coordinate).min(1),
  /** Over all jars, the indirect ones too: Maven Central is believed once, when the pin is written. */
  jarsSha256: sha256,
});

const versionsSchema = z.strictObject({
  java: z.strictObject({ minimum: z.int() }),
  maven: z.strictObject({ dependencyPlugin: z.string() }),
  kafka: serverSchema,
  cassandra: serverSchema,
});

export type Versions = z.infer<typeof versionsSchema>;
export type ServerVersion = Versions['kafka'];
export type Product = 'kafka' | 'cassandra';

/** The pins of provision/versions.yaml. */
export async function readVersions(): Promise<Versions> {
  const text = await readFile(new URL('../versions.yaml', import.meta.url), 'utf8');
  return versionsSchema.parse(parse(text));
}
