import { z } from 'zod';
import { railsSettingsSchema } from '../hardware/rails/settings.ts';
import { formatBytes, parseBytes } from '../lib/bytes.ts';
import { parseDuration } from '../lib/duration.ts';
import { NAME_PATTERN } from '../telemetry/identity.ts';
import { ageInWords } from '../telemetry/status-sentence.ts';
import { DEFAULT_TOPIC_PREFIX } from '../telemetry/topics.ts';

function duration(description: string, { leastMs, mostMs }: { leastMs: number; mostMs: number }) {
  const error = 'expected a number with ms, s, m, h, d or w, such as 20s';
  const least = leastMs < 1000 ? `${leastMs} ms` : ageInWords(leastMs);
  return z
    .string({ error })
    .refine((text) => isReadable(() => parseDuration(text, 'it')), { error, abort: true })
    .refine((text) => parseDuration(text, 'it') >= leastMs, `the least is ${least}`)
    .refine((text) => parseDuration(text, 'it') <= mostMs, `the most is ${ageInWords(mostMs)}`)
    .meta({ description });
}

function size(description: string, leastBytes: number) {
  const error = 'expected a number with B, KiB, MiB, GiB or TiB, such as 2GiB';
  return z
    .string({ error })
    .refine((text) => isReadable(() => parseBytes(text, 'it')), { error, abort: true })
    .refine((text) => parseBytes(text, 'it') >= leastBytes, `the least is ${formatBytes(leastBytes)}`)
    .meta({ description });
}

function isReadable(read: () => number): boolean {
  try {
    read();
    return true;
  } catch {
    // The sentence of the schema says what would be right.
    return false;
  }
}

const NAMES_TAKE = 'letters, digits, ".", "-" or "_", at most 63 of them';

const text = (description: string, example?: string) =>
  z
    .string()
    .min(1, 'expected some text')
    .meta({ description, ...(example && { examples: [example] }) });
const file = (description: string, example: string) => text(`${description}; the path of a file`, example);
const port = (description: string) => z.int().min(0).max(65_535).meta({ description });
const name = (description: string) =>
  z
    .string()
    .regex(NAME_PATTERN, `expected ${NAMES_TAKE}`)
    .meta({ description, examples: ['board-1'] });

/** The issue of a rule over several fields is a sentence of its own. */
const SENTENCE = { sentence: true };

const DAY_MS = 86_400_000;
const MIB = 1024 * 1024;

const tls = z
  .strictObject({
    caFile: file('the authority that signed the server', '/etc/ericht/ca.pem').optional(),
    certFile: file("this client's certificate", '/etc/ericht/client.pem').optional(),
    keyFile: file("this client's key", '/etc/ericht/client.key').optional(),
  })
  .refine((value) => (value.certFile === undefined) === (value.keyFile === undefined), {
    params: SENTENCE,
    error: 'certFile and keyFile belong together: name both or neither',
  })
  .meta({ description: 'encrypted connections; {} trusts the authorities of the system' });

const kafka = z.strictObject({
  brokers: z
    .array(z.string().regex(/^[^\s:]+:\d{1,5}$|^\[[^\]]+\]:\d{1,5}$/, 'expected host:port'))
    .default([])
    .meta({ description: 'host:port of at least one broker', examples: [['127.0.0.1:9092']] }),
  topicPrefix: z
    .string()
    .regex(/^[A-Za-z0-9._-]{0,64}$/, 'expected letters, digits, ".", "-" or "_"')
    .default(DEFAULT_TOPIC_PREFIX)
    .meta({ description: 'what the names of all topics begin with' }),
  tls: tls.optional(),
  sasl: z
    .strictObject({
      mechanism: z
        .enum(['scram-sha-512', 'scram-sha-256', 'plain'])
        .default('scram-sha-512')
        .meta({ description: 'how the password is proved; plain only with tls' }),
      username: text('who logs in', 'ericht'),
      passwordFile: file('the password, alone on its line', '/etc/ericht/password'),
    })
    .optional()
    .meta({ description: 'login at the brokers' }),
});

const sqlite = z.strictObject({
  maxSize: size('the database is kept below this; the oldest rows go first', 16 * MIB).default('2GiB'),
});

const cassandra = z
  .strictObject({
    contactPoints: z
      .array(text('a host', '127.0.0.1'))
      .default([])
      .meta({ description: 'host of at least one Cassandra node', examples: [['127.0.0.1']] }),
    port: port('of the native protocol').default(9042),
    localDataCenter: text('the data centre that this process talks to').default('datacenter1'),
    keyspace: z
      .string()
      .regex(/^[a-z][a-z0-9_]{0,47}$/, 'expected lower-case letters, digits and "_", at most 48, a letter first')
      .default('ericht')
      .meta({ description: 'the keyspace; the collector makes it' }),
    replication: z
      .int()
      .min(1)
      .max(7)
      .default(1)
      .meta({ description: 'copies of each row in that data centre; an existing keyspace keeps its own' }),
    tls: tls.optional(),
    username: text('who logs in', 'ericht').optional(),
    passwordFile: file('the password, alone on its line', '/etc/ericht/password').optional(),
  })
  .refine((value) => (value.username === undefined) === (value.passwordFile === undefined), {
    params: SENTENCE,
    error: 'stores.cassandra.username and stores.cassandra.passwordFile belong together: name both or neither',
  });

/** All of ericht.yaml: one place for names, units, ranges and defaults. Units are written with the values: 1s, 2GiB. */
export const configSchema = z
  .strictObject({
    clusterId: name('the cluster that this node belongs to').default('ericht'),
    nodeId: name('this node, unique in its cluster; the host name if not given').optional(),
    interval: duration('the time between two reports, from 100ms', { leastMs: 100, mostMs: 3_600_000 }).default('1s'),
    transport: z
      .enum(['link', 'kafka'])
      .default('link')
      .meta({ description: 'how reports travel: link stays in one process and needs nothing installed' }),
    store: z
      .enum(['sqlite', 'cassandra'])
      .default('sqlite')
      .meta({ description: 'where reports are kept: a name under stores' }),
    dataDir: text(
      'where the database and the spool lie; $XDG_DATA_HOME/ericht if not given',
      '/var/lib/ericht',
    ).optional(),
    runtimeDir: text(
      "in memory: where an agent keeps its joules over a restart; systemd's RUNTIME_DIRECTORY if not given",
      '/run/ericht',
    ).optional(),
    kafka: kafka.prefault({}).meta({ description: 'the Kafka cluster, with transport: kafka' }),
    stores: z
      .strictObject({
        sqlite: sqlite.prefault({}).meta({ description: 'a file under dataDir' }),
        cassandra: cassandra.prefault({}).meta({ description: 'a Cassandra cluster' }),
      })
      .prefault({})
      .meta({ description: 'the stores that `store` can name' }),
    retention: z
      .strictObject({
        raw: duration('how long each single report is kept, from 1h', {
          leastMs: 3_600_000,
          mostMs: 366 * DAY_MS,
        }).default('7d'),
      })
      .prefault({})
      .meta({ description: 'how long data is kept' }),
    rails: railsSettingsSchema.default([]).meta({
      description: 'INA226 chips that this node reads over I2C itself; rails of the kernel need no entry',
      written: '- label: main\n  measures: board\n  bus: 1\n  address: 0x40\n  shuntOhms: 0.002',
    }),
    path: z
      .strictObject({
        procfs: text('root of the proc file system').default('/proc'),
        sysfs: text('root of the sys file system').default('/sys'),
        dev: text('root of the devices').default('/dev'),
      })
      .prefault({})
      .meta({ description: 'where the node is read; a container sees its host elsewhere' }),
    docker: z
      .strictObject({
        socket: text(
          'the socket of the Docker Engine; /var/run/docker.sock or ~/.docker/run/docker.sock if not given',
          '/var/run/docker.sock',
        ).optional(),
      })
      .prefault({})
      .meta({ description: 'containers on this node' }),
    listen: text('the address that the page is served on; beyond loopback only when asked').default('127.0.0.1'),
    port: port('the port of the page; 0 takes a free one').default(8080),
    log: z
      .strictObject({
        level: z
          .enum(['debug', 'info', 'warn', 'error', 'silent'])
          .default('info')
          .meta({ description: 'the least that is logged' }),
      })
      .prefault({})
      .meta({ description: 'what services say on standard output, as JSON' }),
    spool: z
      .strictObject({
        maxSize: size('reports that wait for Kafka take at most this on disk', MIB).default('256MiB'),
        maxAge: duration('older waiting reports are given up', { leastMs: 60_000, mostMs: 366 * DAY_MS }).default('7d'),
      })
      .prefault({})
      .meta({ description: "an agent's reports on disk while Kafka is away" }),
    expectedNodes: z
      .array(name('a node'))
      .max(1000)
      .default([])
      .meta({
        description: 'nodes that are shown even before they were ever heard of',
        examples: [['board-1', 'board-2']],
      }),
  })
  .superRefine((config, context) => {
    if (config.transport === 'kafka' && config.kafka.brokers.length === 0) {
      context.addIssue({
        code: 'custom',
        params: SENTENCE,
        path: ['transport'],
        message: 'transport: kafka needs kafka.brokers, such as ["127.0.0.1:9092"]',
      });
    }
    if (config.store === 'cassandra' && config.stores.cassandra.contactPoints.length === 0) {
      context.addIssue({
        code: 'custom',
        params: SENTENCE,
        path: ['store'],
        message: 'store: cassandra needs stores.cassandra.contactPoints, such as ["127.0.0.1"]',
      });
    }
    if (config.kafka.sasl?.mechanism === 'plain' && config.kafka.tls === undefined) {
      context.addIssue({
        code: 'custom',
        params: SENTENCE,
        path: ['kafka', 'sasl', 'mechanism'],
        message: 'kafka.sasl.mechanism: plain sends the password readable; add kafka.tls, or take scram-sha-512',
      });
    }
  });

export type Config = z.output<typeof configSchema>;
