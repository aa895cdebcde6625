import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'tap';
import { generated } from '../../telemetry/generate.ts';
import { topicSpecs } from '../../telemetry/topics.ts';

const root = (path: string) => new URL(`../../${path}`, import.meta.url);

test('what is checked in is what the source makes', async (t) => {
  for (const [path, text] of Object.entries(generated())) {
    t.equal(readFileSync(root(path), 'utf8'), text, `${path}: run "npm run generate"`);
  }
});

test('nothing lies among the generated files that is no longer made', async (t) => {
  const made = Object.keys(generated()).filter((path) => path.startsWith('telemetry/generated/'));
  t.same(
    readdirSync(root('telemetry/generated/'))
      .map((name) => `telemetry/generated/${name}`)
      .sort(),
    made.sort(),
  );
});

test('every number of the contract has a unit', async (t) => {
  const withoutUnit: string[] = [];
  const walk = (schema: Record<string, unknown>, path: string) => {
    if ((schema.type === 'number' || schema.type === 'integer') && !schema.unit) withoutUnit.push(path);
    for (const [key, inner] of Object.entries((schema.properties ?? {}) as object)) walk(inner, `${path}.${key}`);
    for (const key of ['items', 'additionalProperties']) {
      const inner = schema[key];
      if (typeof inner === 'object' && inner !== null) walk(inner as Record<string, unknown>, `${path}[]`);
    }
  };
  for (const name of ['report', 'facts', 'event']) {
    walk(JSON.parse(generated()[`telemetry/generated/${name}.schema.json`]!), name);
  }
  t.same(
    withoutUnit.filter((path) => !path.endsWith('.schemaVersion')),
    [],
  );
});

test('the AsyncAPI document has a channel for every topic, and its references lead somewhere', async (t) => {
  const document = JSON.parse(generated()['telemetry/generated/asyncapi.json']!);
  const addresses = Object.values(document.channels as Record<string, { address: string }>).map(
    ({ address }) => address,
  );
  t.same(
    addresses.sort(),
    Object.values(topicSpecs())
      .map(({ name }) => name)
      .sort(),
  );
  for (const [, reference = ''] of JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)) {
    if (reference.startsWith('./')) t.ok(`telemetry/generated/${reference.slice(2)}` in generated(), reference);
    else
      t.ok(
        reference
          .slice(2)
          .split('/')
          .reduce((at, step) => at?.[step], document),
        reference,
      );
  }
});
