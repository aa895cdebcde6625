import t from 'tap';
import { encodeWithin, REPORT_ROOM_BYTES } from '../../agent/report-limit.ts';
import { MAX_CLAIM_RANGES } from '../../telemetry/accounting.ts';
import { decodeReport, encode } from '../../telemetry/codec.ts';
import { type Container, MAX_REPORT_BYTES, type Report } from '../../telemetry/report.ts';
import { boardReport } from '../dashboard/demo-cluster.ts';
import { randomFor, type SeededRandom } from '../helpers/seeded-random.ts';
import { makePublisher } from './publish/publisher-stand.ts';

const base = () => boardReport('pi-01', 7, Date.UTC(2026, 4, 1), { simulated: undefined });

function container(index: number, more: Partial<Container> = {}): Container {
  return { id: String(index).padStart(12, '0'), name: `c${index}`, image: 'i'.repeat(255), state: 'running', ...more };
}

function withContainers(containers: Container[], more: object = {}): Report {
  const runningContainers = containers.filter(({ state }) => state === 'running').length;
  return { ...base(), docker: { runningContainers, containers, ...more } };
}

function decoded(body: Buffer): Report {
  const result = decodeReport(body);
  if (!result.ok) throw new Error(`${result.problem}: ${result.detail}`);
  return result.value;
}

t.test('a report that fits is what it is', async (t) => {
  const report = withContainers([container(1)]);
  t.ok(encodeWithin(report).equals(encode(report)));
  t.equal(decoded(encodeWithin(report)).docker?.leftOutContainers, undefined);
});

t.test('containers that do not run go first, then the least busy; those that run are still counted', async (t) => {
  const stopped = Array.from({ length: 20 }, (_, index) => container(index, { state: 'exited', cpuUsageRatio: 900 }));
  const busy = Array.from({ length: 236 }, (_, index) => container(100 + index, { cpuUsageRatio: (index * 7) % 236 }));
  const report = withContainers([...stopped, ...busy], { leftOutContainers: 4 });
  const whole = encode(report).length;
  t.ok(whole > MAX_REPORT_BYTES);

  const fitted = encodeWithin(report);
  t.ok(fitted.length <= REPORT_ROOM_BYTES && fitted.length > REPORT_ROOM_BYTES - 1000, 'no more is left out than must');
  const { docker } = decoded(fitted);
  const kept = docker?.containers ?? [];
  t.ok(kept.every(({ state }) => state === 'running'));
  t.equal(docker?.runningContainers, 236);
  t.equal(docker?.leftOutContainers, 4 + 256 - kept.length);
  const leastKept = Math.min(...kept.map(({ cpuUsageRatio = 0 }) => cpuUsageRatio));
  t.equal(leastKept, 236 - kept.length, 'the busiest are those that are kept');
  t.same(
    kept.map(({ id }) => id),
    busy.filter(({ cpuUsageRatio = 0 }) => cpuUsageRatio >= leastKept).map(({ id }) => id),
    'in their order',
  );

  const { docker: few } = JSON.parse(encodeWithin(report, whole - 500).toString()) as Report;
  t.equal(few?.containers?.filter(({ state }) => state === 'running').length, 236, 'where stopped ones are enough');
  t.ok((few?.containers?.length ?? 0) > 236);
});

t.test('long labels are cut at last, between characters', async (t) => {
  const mounts = Array.from({ length: 64 }, (_, index) => ({
    path: `/mnt/${index}/${'📦'.repeat(120)}`,
    device: `/dev/${'\u0001'.repeat(200)}`,
    totalBytes: 1,
    availableBytes: 1,
  }));
  const report = { ...withContainers([container(1)]), storage: { mounts } };
  t.ok(encode(report).length > MAX_REPORT_BYTES);
  const fitted = encodeWithin(report);
  t.ok(fitted.length <= REPORT_ROOM_BYTES);
  const read = decoded(fitted);
  t.equal(read.docker?.leftOutContainers, 1);
  t.equal(read.storage?.mounts.length, 64);
  for (const { path } of read.storage?.mounts ?? []) {
    t.ok(path.isWellFormed() && path.length <= 63 && path.endsWith('…'), path);
  }
  t.equal(read.nodeId, report.nodeId);
});

t.test('a board with more containers than a report holds is heard all the same', async (t) => {
  const { publisher, sink, clock } = await makePublisher(t);
  publisher.offer({ ...withContainers(Array.from({ length: 256 }, (_, index) => container(index))), seq: 0 });
  await clock.advance(100);
  const docker = sink.reports()[0]?.docker;
  t.equal(docker?.runningContainers, 256);
  t.ok((docker?.leftOutContainers ?? 0) > 0);
  t.match(publisher.counts(), { acknowledged: 1, notSent: 0 });
});

t.test('the room that is left is enough for the longest claim', async (t) => {
  const most = { from: Number.MAX_SAFE_INTEGER - 1, to: Number.MAX_SAFE_INTEGER };
  const claim = {
    unacknowledged: [],
    dropped: [],
    earlierRuns: Array.from({ length: MAX_CLAIM_RANGES }, () => ({
      runId: '00000000-0000-0000-0000-000000000000',
      nextSeq: Number.MAX_SAFE_INTEGER,
      unacknowledged: [],
      dropped: [{ ...most, reason: 'spool-failed' }],
    })),
  };
  t.ok(JSON.stringify(claim).length <= MAX_REPORT_BYTES - REPORT_ROOM_BYTES);
});

/** Anything that a sampler may give, up to the bounds of the schema. */
function anyReport(random: SeededRandom): Report {
  const text = (most: number) => {
    const letters = random.pick(['a', 'ü', '📦', '\u0002', '"', 'mixed ✓ \n']);
    return letters.repeat(random.int(1, most)).slice(0, random.int(1, most)).toWellFormed();
  };
  const many = <T>(most: number, make: (index: number) => T) =>
    Array.from({ length: random.int(0, most) }, (_, i) => make(i));
  const whole = () => random.int(0, 2 ** 40);
  return {
    ...base(),
    cpu: { usageRatio: random.next(), coreUsageRatios: many(512, () => random.next()) },
    temperature: {
      temperatureCelsius: 40,
      zones: many(64, () => ({ name: text(63), temperatureCelsius: random.next() })),
    },
    storage: {
      mounts: many(64, () => ({ path: text(255), device: text(255), totalBytes: whole(), availableBytes: whole() })),
      devices: many(64, () => ({ name: text(63), model: text(255), writtenBytes: whole() })),
    },
    network: { interfaces: many(64, () => ({ name: text(63), receivedBytes: whole(), sentBytes: whole() })) },
    docker: {
      runningContainers: random.int(0, 256),
      containers: many(256, (index) => ({
        id: String(index),
        name: text(255),
        image: text(255),
        state: random.pick(['running', 'exited', 'paused']),
        cpuUsageRatio: random.next(),
      })),
    },
    self: {
      cpuSeconds: 1,
      residentBytes: 1,
      samplers: Object.fromEntries(
        many(12, (index) => [`s${index}`, { durationMs: 1, failures: 1, problem: text(255) }]),
      ),
    },
  };
}

t.test('whatever the samplers give fits, says how much is missing, and comes out the same each time', async (t) => {
  const random = randomFor(t);
  let trimmed = 0;
  for (let round = 0; round < 60; round += 1) {
    const report = anyReport(random);
    const copy = structuredClone(report);
    const body = encodeWithin(report);
    const read = decoded(body);
    const problems = [
      body.length > REPORT_ROOM_BYTES && `${body.length} bytes`,
      !body.equals(encodeWithin(copy)) && 'a second time it is another',
      JSON.stringify(report) !== JSON.stringify(copy) && 'what was given is changed',
      read.docker?.runningContainers !== report.docker?.runningContainers && 'another number runs',
      (read.docker?.containers?.length ?? 0) + (read.docker?.leftOutContainers ?? 0) !==
        report.docker?.containers?.length && 'containers are lost without a word',
    ].filter(Boolean);
    t.same(problems, [], `round ${round}`);
    if (!body.equals(encode(report))) trimmed += 1;
  }
  t.ok(trimmed > 10, `${trimmed} of 60 had to be trimmed`);
});
