import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SourceFile } from './check.ts';

/** What tools and runs leave behind; none of it is ours, and git doesn't keep it. */
const NOT_OURS = new Set(['node_modules', '.git', '.tap', 'secrets']);
const NOT_OURS_AT_ROOT = new Set(['run', 'data']);

const TEXT =
  /\.(?:ts|tsx|js|mjs|cjs|css|html|sh|cql|sql|json|yaml|yml|md|properties|xml|toml|conf|txt)$|(?:^|\/)[^./]+$|\/\.\w+$/;

/** All text files of the project. */
export async function readTree(root: string, folder = ''): Promise<SourceFile[]> {
  const found: SourceFile[] = [];
  for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
    const path = folder ? `${folder}/${entry.name}` : entry.name;
    if (entry.isDirectory()) {
      if (NOT_OURS.has(entry.name) || (folder === '' && NOT_OURS_AT_ROOT.has(entry.name))) continue;
      found.push(...(await readTree(root, path)));
    } else if (entry.isFile() && TEXT.test(path)) {
      found.push({ path, text: await readFile(join(root, path), 'utf8') });
    }
  }
  return found;
}
