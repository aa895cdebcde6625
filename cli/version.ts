import { readFileSync } from 'node:fs';

/** Versions of what runs here; without the `v` that Node puts in front. */
export function versions(): { ericht: string; node: string } {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return { ericht: (JSON.parse(manifest) as { version: string }).version, node: process.versions.node };
}
