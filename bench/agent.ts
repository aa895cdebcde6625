import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { KafkaAdmin } from '../kafka/admin.ts';
import { systemClock as clock } from '../lib/clock.ts';
import { plainLog, silentLog } from '../lib/log.ts';
import { topicSpecs } from '../telemetry/topics.ts';
import { ownDockerEngine } from '../test/helpers/docker-engine.ts';
import { settingsFor } from '../test/helpers/kafka-records.ts';
import { runTool } from '../test/helpers/run-tool.ts';
import { freePort, ownKafka, randomName, tempDir } from '../test/helpers/stack.ts';
import { arrived } from './agent/arrived.ts';
import { makeSysfs, startContainers } from './agent/board.ts';
import { measure, measureNobody } from './agent/measure.ts';
import { allRows, type Row, type Surroundings } from './agent/rows.ts';
import { circumstances, type Result, tableOf } from './agent/table.ts';
import { goTool, NODE_EXPORTER, TELEGRAF } from './agent/tools.ts';

const USAGE = `Usage: npm run bench:agent [-- --minutes N] [--rounds N] [--rows NAME,...] [--write]

What our agent costs beside node_exporter, Telegraf and a bare Node: the same machine, the same ten containers of a real
Docker Engine, a real Kafka, 1 Hz. Each is measured alone, one after the other, in every round. Needs Linux, root, Go.

  --minutes N     for each agent and round (default 2)
  --rounds N      every other one in reverse order (default 2)
  --rows NAMES    bundle, source, telegraf, telegraf-slow, node_exporter, bare (default: all)
  --bundle FILE   made by "npm run bundle", which is asked for one if none is given
  --write         put the table into docs/cost-of-the-agent.md
  --keep          keep the folder with the logs
`;

const PROJECT = fileURLToPath(new URL('..', import.meta.url));
const PAGE = join(PROJECT, 'docs/cost-of-the-agent.md');
const MARKS = /(<!-- measured -->\n)[\s\S]*(\n<!-- end -->)/;
const CONTAINERS = 10;
const CHILDREN_SPAN_MS = 45_000;

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;
const { values } = parseArgs({
  options: { minutes: text, rounds: text, rows: text, bundle: text, write: flag, keep: flag, help: flag },
});

const log = plainLog('info', process.stderr);
const undo: (() => unknown)[] = [];
const atEnd = { teardown: (one: () => unknown) => void undo.push(one) };

if (values.help) process.stdout.write(USAGE);
else {
  try {
    await run();
  } finally {
    for (const one of undo.reverse()) await one();
  }
}

async function run(): Promise<void> {
  const measuredMs = Number(values.minutes ?? 2) * 60_000;
  const rounds = Number(values.rounds ?? 2);
  const folder = await tempDir(values.keep ? { teardown: () => {} } : atEnd);
  log.info({}, `Logs are in ${folder}`);
  const wanted = values.rows?.split(',');
  const bundle = wanted && !wanted.includes('bundle') ? undefined : await unpackedBundle(folder);
  const rows = allRows({ bundle }).filter(({ name }) => !wanted || wanted.includes(name));
  if (rows.some(({ name }) => name.startsWith('telegraf'))) await goTool(TELEGRAF);
  if (rows.some(({ name }) => name === 'node_exporter')) await goTool(NODE_EXPORTER);

  const kafka = await ownKafka(atEnd);
  const engine = await ownDockerEngine(atEnd);
  await mkdir(join(folder, 'image'));
  const ids = await startContainers(engine, CONTAINERS, join(folder, 'image'));
  await rm(join(folder, 'image'), { recursive: true });
  const sysfs = await makeSysfs(join(folder, 'sys'), ids);
  const engineFolder = dirname(engine.socketPath);

  const nobody: number[] = [];
  const results: Result[] = [];
  for (let round = 0; round < rounds; round += 1) {
    nobody.push(await measureNobody(engineFolder, measuredMs));
    for (const row of round % 2 === 0 ? rows : rows.toReversed()) {
      const [broker] = kafka.brokers;
      const topic = randomName('bench');
      const own = join(folder, `${round}-${row.name}`);
      const port = await freePort();
      const surroundings = { folder: own, sysfs, dockerSocket: engine.socketPath, broker: broker!, topic, port };
      await makeTopics(row, surroundings);
      const childrenMs = round === 0 ? CHILDREN_SPAN_MS : 0;
      const measured = await measure({ row, surroundings, engineFolder, measuredMs, childrenMs });
      results.push({ ...measured, ...(await whatArrived(row, surroundings, measured)) });
      log.info({}, `Round ${round + 1}: ${JSON.stringify(results.at(-1))}`);
    }
  }
  const all = { rows, results, nobody };
  const page = `${tableOf(all)}\n\n${circumstances(all, { seconds: measuredMs / 1000, rounds })}`;
  process.stdout.write(`${page}\n`);
  if (values.write) await writeFile(PAGE, (await readFile(PAGE, 'utf8')).replace(MARKS, `$1\n${page}\n$2`));
}

async function unpackedBundle(folder: string): Promise<string> {
  const making = ['provision/bundle/main.ts', '--out', folder];
  const file =
    values.bundle ??
    (await runTool(process.execPath, making, { cwd: PROJECT, limitMs: 600_000 })).trim().split('\n').at(-1)!;
  const to = join(folder, 'bundle');
  await mkdir(to);
  await runTool('tar', ['-xzf', file, '-C', to, '--strip-components=1']);
  return to;
}

function topicOf(row: Row, topic: string): string {
  return row.output === 'reports' ? topicSpecs(`${topic}.`).reports.name : topic;
}

async function makeTopics(row: Row, { broker, topic }: Surroundings): Promise<void> {
  if (row.output !== 'reports' && row.output !== 'lines') return;
  const { reports, facts } = topicSpecs(`${topic}.`);
  const lines = { ...reports, name: topic, partitions: 1 };
  const admin = new KafkaAdmin({ settings: settingsFor([broker]), clock, log: silentLog });
  try {
    await admin.ensureTopics(row.output === 'reports' ? [reports, facts] : [lines]);
  } finally {
    await admin.stop();
  }
}

async function whatArrived(row: Row, { broker, topic }: Surroundings, span: { from: number; to: number }) {
  if (row.output !== 'reports' && row.output !== 'lines') return { readings: undefined, dockerReadings: undefined };
  return arrived(row, topicOf(row, topic), broker, span);
}
