import { fileURLToPath } from 'node:url';
import { test } from 'tap';
import { check, type Violation } from './check.ts';
import { MAY_IMPORT } from './rules.ts';
import { readTree } from './tree.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

const lines = (found: Violation[]) =>
  found.map(({ path, line, rule, message }) => `${path}:${line} ${rule}: ${message}`);

test('the project keeps the rules of the house', async (t) => {
  const files = await readTree(root);
  t.ok(files.length > 50, `read ${files.length} files`);
  t.same(lines(check(files)), []);
});

test('every folder of code has its rule', async (t) => {
  const files = await readTree(root);
  const folders = new Set(
    files.filter(({ path }) => /^[^./]+\/.*\.tsx?$/.test(path)).map(({ path }) => path.split('/')[0]),
  );
  t.same(
    [...folders].filter((folder) => !Object.hasOwn(MAY_IMPORT, String(folder))),
    [],
  );
});
