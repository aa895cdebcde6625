import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { eventSchema } from './event.ts';
import { factsSchema } from './facts.ts';
import { NAME_PATTERN } from './identity.ts';
import { reportSchema, SCHEMA_VERSION } from './report.ts';
import { ASIDE_HEADERS, DEFAULT_TOPIC_PREFIX, SENT_HEADERS, topicSpecs } from './topics.ts';

/**
 * Writes what others read of the contract: JSON Schemas, an AsyncAPI document and a table of fields, all from the zod
 * source. `npm run generate` after a change there; a test compares what is checked in with what this makes.
 */

type JsonSchema = {
  type?: string;
  description?: string;
  unit?: string;
  const?: unknown;
  enum?: unknown[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  additionalProperties?: JsonSchema | boolean;
};

const SCHEMAS = { report: reportSchema, facts: factsSchema, event: eventSchema } as const;

function jsonSchema(name: keyof typeof SCHEMAS): JsonSchema {
  const schema = z.toJSONSchema(SCHEMAS[name], { target: 'draft-2020-12', io: 'input' }) as object;
  const { $schema, ...body } = schema as { $schema: string };
  return { $schema, $id: `urn:ericht:${name}:${SCHEMA_VERSION}`, title: `Ericht ${name}`, ...body } as JsonSchema;
}

/** AsyncAPI 3.0: the channels are the topics, with the settings that they are made with. */
function asyncApi(version: string): object {
  const topics = topicSpecs(DEFAULT_TOPIC_PREFIX);
  const channel = (role: keyof typeof topics, message: string, description: string) => ({
    address: topics[role].name,
    description,
    messages: { [message]: { $ref: `#/components/messages/${message}` } },
    bindings: {
      kafka: {
        topic: topics[role].name,
        partitions: topics[role].partitions,
        topicConfiguration: topics[role].settings,
      },
    },
  });
  const headers = (names: Record<string, string>) => ({
    type: 'object',
    properties: Object.fromEntries(Object.values(names).map((name) => [name, { type: 'string' }])),
  });
  const key = {
    type: 'string',
    description: 'clusterId/nodeId: all that a node says stays in one partition, in order',
    pattern: `${NAME_PATTERN.source.slice(0, -1)}/${NAME_PATTERN.source.slice(1)}`,
  };
  const message = (name: string, file: string, extra: object = {}) => ({
    name,
    contentType: 'application/json',
    payload: { schemaFormat: 'application/schema+json;version=draft-2020-12', schema: { $ref: `./${file}` } },
    bindings: { kafka: { key } },
    ...extra,
  });
  const aside = (name: string, summary: string) => ({
    name,
    summary,
    contentType: 'application/octet-stream',
    payload: {
      type: 'string',
      description: `the original bytes; only their beginning where ${ASIDE_HEADERS.originalBytes} tells their number`,
    },
    headers: headers(ASIDE_HEADERS),
  });
  const receive = (channelName: string, action: 'send' | 'receive', summary: string) => ({
    action,
    channel: { $ref: `#/channels/${channelName}` },
    summary,
  });
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Ericht',
      version,
      description:
        'What nodes publish and collectors keep. Units are base units and stand with each field as `unit`. ' +
        'Absent means failed or too old. Unknown fields are kept.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    defaultContentType: 'application/json',
    channels: {
      reports: channel('reports', 'report', 'one report per node and interval'),
      facts: channel('facts', 'facts', 'what changes rarely; always whole: at start, on change, every 6 hours'),
      events: channel('events', 'event', 'what happened, in words'),
      deadLetters: channel('deadLetters', 'deadLetter', 'records that cannot be stored, with the reason'),
      overflow: channel('overflow', 'overflow', "reports over a node's limit, kept aside"),
    },
    operations: {
      publishReport: receive('reports', 'send', 'an agent publishes its reports'),
      publishFacts: receive('facts', 'send', 'an agent publishes its facts'),
      readEvents: receive('events', 'receive', 'dashboards and scripts read what collectors noticed'),
      readDeadLetters: receive('deadLetters', 'receive', 'people look at what could not be stored'),
      readOverflow: receive('overflow', 'receive', 'people look at what was over the limit'),
    },
    components: {
      messages: {
        report: message('report', 'report.schema.json', { headers: headers(SENT_HEADERS) }),
        facts: message('facts', 'facts.schema.json', { headers: headers(SENT_HEADERS) }),
        event: message('event', 'event.schema.json'),
        deadLetter: aside('deadLetter', 'a record that cannot be stored'),
        overflow: aside('overflow', "a report over its node's limit"),
      },
    },
  };
}

/** docs/fields.md: every field with its unit and meaning. */
function fieldTable(): string {
  const lines = [
    '# Fields',
    '',
    'Made by `npm run generate` from the schemas in telemetry/; do not edit.',
    '',
    'Values are in base units. A field that is absent failed or is too old; it is never filled with 0. Times are epoch',
    'milliseconds (UTC) on the wire and ISO 8601 on the command line. Fields that this table does not know are kept.',
  ];
  for (const name of Object.keys(SCHEMAS) as (keyof typeof SCHEMAS)[]) {
    lines.push('', `## ${name}`, '', '| field | type | unit | always | meaning |', '|---|---|---|---|---|');
    for (const row of fieldRows(jsonSchema(name), '', true)) lines.push(`| ${row.map(cell).join(' | ')} |`);
  }
  return `${lines.join('\n')}\n`;
}

function fieldRows(schema: JsonSchema, prefix: string, always: boolean): string[][] {
  const own =
    prefix === ''
      ? []
      : [[`\`${prefix}\``, typeOf(schema), schema.unit ?? '', always ? 'yes' : '', schema.description ?? '']];
  if (schema.type === 'array' && schema.items) {
    if (schema.items.type !== 'object') {
      const { unit = '', description = '' } = schema.items;
      return [[`\`${prefix}[]\``, typeOf(schema.items), unit, always ? 'yes' : '', schema.description ?? description]];
    }
    return [...own, ...fieldRows(schema.items, `${prefix}[]`, true).slice(1)];
  }
  const required = new Set(schema.required ?? []);
  const inner = Object.entries(schema.properties ?? {}).flatMap(([key, field]) =>
    fieldRows(field, prefix === '' ? key : `${prefix}.${key}`, required.has(key)),
  );
  const values = schema.properties ? undefined : schema.additionalProperties;
  const rest =
    typeof values === 'object' ? fieldRows(values, `${prefix}.*`, true).slice(values.properties ? 1 : 0) : [];
  return [...own, ...inner, ...rest];
}

function typeOf(schema: JsonSchema): string {
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(', ');
  if (schema.const !== undefined) return `\`${schema.const}\``;
  return (
    { object: 'map', array: 'list', integer: 'whole number', string: 'text' }[schema.type ?? ''] ?? schema.type ?? ''
  );
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

/** All generated files by their path from the root of the repository. */
export function generated(): Record<string, string> {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(manifest) as { version: string };
  const json = (value: object) => `${JSON.stringify(value, null, 2)}\n`;
  return {
    'telemetry/generated/report.schema.json': json(jsonSchema('report')),
    'telemetry/generated/facts.schema.json': json(jsonSchema('facts')),
    'telemetry/generated/event.schema.json': json(jsonSchema('event')),
    'telemetry/generated/asyncapi.json': json(asyncApi(version)),
    'docs/fields.md': fieldTable(),
  };
}

if (import.meta.main) {
  for (const [path, text] of Object.entries(generated())) {
    const file = new URL(`../${path}`, import.meta.url);
    mkdirSync(new URL('.', file), { recursive: true });
    writeFileSync(file, text);
  }
}
