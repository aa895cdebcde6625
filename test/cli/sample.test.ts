import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { configSchema } from '../../cli/config-schema.ts';
import { configJsonSchema, sampleConfig } from '../../cli/sample.ts';
import { loadSettings } from '../../cli/settings.ts';
import { leafPaths } from '../../lib/schema-shape.ts';

const root = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');

test('the checked-in sample and schema are what the source makes', async (t) => {
  t.equal(root('ericht.sample.yaml'), sampleConfig(), 'run "npm run generate"');
  t.equal(root('ericht.schema.json'), configJsonSchema(), 'run "npm run generate"');
});

test('the sample as it is changes nothing', async (t) => {
  const folder = t.testdir({ 'ericht.yaml': sampleConfig() });
  const environment = { HOME: folder };
  const { values } = loadSettings({ environment, configFile: join(folder, 'ericht.yaml'), flags: {} }).loaded;
  t.same(values, configSchema.parse({}));
});

test('the sample with every "#" taken away is valid, and names every setting', async (t) => {
  const text = sampleConfig().replace(/^( *)#([^ ])/gm, '$1$2');
  const folder = t.testdir({ 'ericht.yaml': text });
  const configFile = join(folder, 'ericht.yaml');
  const { originOf, values } = loadSettings({ environment: { HOME: folder }, configFile, flags: {} }).loaded;
  for (const path of leafPaths(configSchema)) t.equal(originOf(path).from, 'file', path);
  t.match(values.rails, [{ label: 'main', address: 0x40 }]);
});
