import { cp, readdir, readFile, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { parseFrames, SEGMENT_MAGIC } from '../../agent/spool/frame.ts';
import { Spool } from '../../agent/spool/spool.ts';
import { KafkaAdmin } from '../../kafka/admin.ts';
import { systemClock as clock, sleep } from '../../lib/clock.ts';
import { silentLog as log } from '../../lib/log.ts';
import type { Report } from '../../telemetry/report.ts';
import { topicSpecs } from '../../telemetry/topics.ts';
import { readLedger as readWholeLedger } from '../helpers/judge.ts';
import { readAll, settingsFor } from '../helpers/kafka-records.ts';
import { LineProcess } from '../helpers/line-process.ts';
import { ownKafka, randomName, tempDir, until } from '../helpers/stack.ts';

const OUTAGE_MS = 20_000;
const RATE = 20;

t.setTimeout(500_000);
const LIMIT = { timeout: 200_000 };

const kafka = await ownKafka(t);

async function makeTopics(): Promise<string> {
  const prefix = `${randomName('t')}.`;
  const admin = new KafkaAdmin({ settings: settingsFor(kafka.brokers), clock, log });
  await admin.ensureTopics(Object.values(topicSpecs(prefix)));
  await admin.stop();
  return prefix;
}

interface Place {
  prefix: string;
  ledger: string;
  spool: string;
}

async function startPublisher(t: Test, { prefix, ledger, spool }: Place, nodes: string[]) {
  const process = new LineProcess(t, './publisher-process.ts', [
    ...['--brokers', kafka.brokers.join(','), '--prefix', prefix, '--ledger', ledger, '--spool', spool],
    ...['--nodes', nodes.join(','), '--rate', String(RATE)],
  ]);
  const { nodes: started = [] } = await process.first('started');
  return {
    runId: started[0]!.runId,
    kill: () => process.kill(),
    async stop() {
      await process.kill('SIGTERM');
      return process.last('stopped')?.nodes ?? [];
    },
  };
}

async function makePlace(t: Test): Promise<Place> {
  const directory = await tempDir(t);
  return { prefix: await makeTopics(), ledger: join(directory, 'ledger'), spool: join(directory, 'spool') };
}

/** "node/run/seq" of every acknowledged report; none before the first. */
async function readLedger(path: string): Promise<Set<string>> {
  return readWholeLedger(path).catch(() => new Set<string>());
}

/** All reports in the topic in the order of their partitions, read without our code. */
async function reportsIn(prefix: string): Promise<Report[]> {
  return (await readAll(kafka.brokers, topicSpecs(prefix).reports.name)).map((value) => JSON.parse(value) as Report);
}

async function segmentsIn(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => []);
  return names.filter((name) => name.endsWith('.spool')).sort();
}

const inOrder = (seqs: number[]) => [...seqs].sort((a, b) => a - b);
const distinct = (seqs: number[]) => [...new Set(seqs)];

t.test('Kafka stopped for 20 s: the agents go on sampling, spool, and drain in order', LIMIT, async (t) => {
  const place = await makePlace(t);
  const { prefix, ledger, spool } = place;
  const nodes = ['a', 'b'];
  const publisher = await startPublisher(t, place, nodes);
  await until('reports are acknowledged', async () => (await readLedger(ledger)).size > 5 * RATE);
  t.same(await segmentsIn(join(spool, 'a')), [], 'while Kafka acknowledges nothing is written');

  await kafka.stop();
  const stoppedAt = clock.now();
  await sleep(clock, OUTAGE_MS);
  for (const node of nodes) t.ok((await segmentsIn(join(spool, node))).length > 0, `${node} has spooled`);
  const returnedAt = clock.now();
  const acknowledgedBefore = (await readLedger(ledger)).size;
  await kafka.restart();

  await until(
    'all is drained',
    async () => {
      const left = await Promise.all(nodes.map((node) => segmentsIn(join(spool, node))));
      return (await readLedger(ledger)).size > acknowledgedBefore && left.flat().length === 0;
    },
    { limitMs: 60_000 },
  );
  const counts = await publisher.stop();

  const reports = await reportsIn(prefix);
  const acknowledged = await readLedger(ledger);
  for (const { nodeId, runId, sampled, ...rest } of counts) {
    t.same(rest, { acknowledged: sampled, notSent: 0, waiting: 0 }, `${nodeId}: each report was acknowledged`);
    const ofRun = reports.filter((report) => report.runId === runId);
    const all = [...Array(sampled).keys()];
    t.same(inOrder(distinct(ofRun.map(({ seq }) => seq))), all, 'every report is in the topic');
    t.ok(
      all.every((seq) => acknowledged.has(`${nodeId}/${runId}/${seq}`)),
      'and in the ledger',
    );
    const drained = distinct(ofRun.filter((report) => report.drained).map(({ seq }) => seq));
    t.ok(drained.length > 0.8 * RATE * (OUTAGE_MS / 1000 - 10), `${drained.length} were drained`);
    t.same(drained, inOrder(drained), 'in order');
    const during = ofRun.filter(({ timestamp }) => timestamp >= stoppedAt && timestamp < returnedAt);
    const sampledDuring = distinct(during.map(({ seq }) => seq)).length;
    t.ok(sampledDuring > 0.9 * RATE * (OUTAGE_MS / 1000), `${sampledDuring} were sampled while Kafka was away`);
    t.equal(ofRun.filter(({ goodbye }) => goodbye).length, 1);
    t.same(ofRun.find(({ goodbye }) => goodbye)?.claim.dropped, []);
  }
});

t.test('kill -9 with a spool, its tail cut at any byte: the next start drains the rest', LIMIT, async (t) => {
  const place = await makePlace(t);
  const { prefix, ledger, spool } = place;
  const first = await startPublisher(t, place, ['a']);
  await until('reports are acknowledged', async () => (await readLedger(ledger)).size > RATE);
  await kafka.stop();
  const nodeSpool = join(spool, 'a');
  await until(
    'a good part is spooled',
    async () => {
      const [segment] = await segmentsIn(nodeSpool);
      return segment && (await stat(join(nodeSpool, segment))).size > 100_000;
    },
    { limitMs: 40_000 },
  );
  await first.kill();

  const last = join(nodeSpool, (await segmentsIn(nodeSpool)).at(-1)!);
  const bytes = await readFile(last);
  const { records } = parseFrames(bytes.subarray(SEGMENT_MAGIC.length));
  const runId = first.runId;
  t.ok(records.every((record) => record.runId === runId));
  const whole = await seqsLeft(t, nodeSpool);
  const lastLength = bytes.length - bytes.lastIndexOf(Buffer.from([0xff, 0xe5, 0x1c, 0xff]));
  const copy = join(await tempDir(t), 'copy');
  await cp(nodeSpool, copy, { recursive: true });
  for (let cut = 1; cut <= lastLength; cut += 1) {
    await truncate(join(copy, last.slice(nodeSpool.length + 1)), bytes.length - cut);
    const left = await seqsLeft(t, copy);
    if (String(left) !== String(whole.slice(0, -1))) return t.same(left, whole.slice(0, -1), `cut by ${cut} bytes`);
  }
  t.pass(`cut at each of ${lastLength} bytes`);

  await truncate(last, bytes.length - Math.ceil(lastLength / 2));
  await kafka.restart();
  const second = await startPublisher(t, place, ['a']);
  const expected = whole.slice(0, -1);
  await until(
    'the rest is drained',
    async () => {
      const told = await readLedger(ledger);
      return expected.every((seq) => told.has(`a/${runId}/${seq}`));
    },
    { limitMs: 60_000 },
  );
  await until('and the disk is clean', async () => (await segmentsIn(nodeSpool)).length === 0);
  const [counts] = await second.stop();
  t.match(counts, { acknowledged: counts!.sampled, waiting: 0 });

  const reports = await reportsIn(prefix);
  const ofFirst = reports.filter((report) => report.runId === runId);
  const drained = distinct(ofFirst.filter((report) => report.drained).map(({ seq }) => seq));
  t.same(drained, inOrder(drained), 'in order');
  t.ok(
    expected.every((seq) => ofFirst.some((report) => report.seq === seq)),
    'all of it is in the topic',
  );
  const arrived = new Set(reports.map(({ nodeId, runId, seq }) => `${nodeId}/${runId}/${seq}`));
  t.same(
    [...(await readLedger(ledger))].filter((name) => !arrived.has(name)),
    [],
    'and all that was acknowledged',
  );
  const ofSecond = reports.filter((report) => report.runId === second.runId);
  t.match(
    ofSecond.find(({ spool }) => (spool?.tornRecords ?? 0) > 0)?.spool,
    { tornRecords: 1 },
    'the torn one is told',
  );
  t.ok(
    ofSecond.some(({ claim }) => claim.earlierRuns?.some((run) => run.runId === runId)),
    'the killed run is told of',
  );
});

/** What an agent that starts on this directory would find waiting. */
async function seqsLeft(t: Test, directory: string): Promise<number[]> {
  const seqs: number[] = [];
  const dropped = () => t.fail('nothing may be dropped');
  const limits = { maxBytes: 1e9, maxAgeMs: 1e9, clockSynchronised: () => false };
  const found: { from: number; to: number }[] = [];
  const spool = new Spool({
    directory,
    ...limits,
    clock,
    log,
    dropped,
    found: (runs) => found.push(...runs.flatMap(({ ranges }) => ranges)),
  });
  await spool.open();
  for (const { from, to } of found) for (let seq = from; seq <= to; seq += 1) seqs.push(seq);
  await spool.close();
  return seqs;
}
