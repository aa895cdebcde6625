import { type Test, test } from 'tap';
import { IdentityConflicts } from '../../telemetry/identity-conflict.ts';
import { randomFor } from '../helpers/seeded-random.ts';

interface Board {
  boot: string;
  run: string;
  intervalMs?: number;
}

const one: Board = { boot: 'boot-1', run: 'run-1' };
const two: Board = { boot: 'boot-2', run: 'run-2' };

/** Boards that speak as board-3, each with its own count. */
function makeStand() {
  const conflicts = new IdentityConflicts();
  const seqs = new Map<string, number>();
  const identity = { clusterId: 'case', nodeId: 'board-3' };
  return {
    conflicts,
    report({ boot, run, intervalMs = 1000 }: Board, atMs: number, { drained = false, seq = seqs.get(run) ?? 0 } = {}) {
      seqs.set(run, Math.max(seq + 1, seqs.get(run) ?? 0));
      conflicts.report({ ...identity, bootId: boot, runId: run, seq, intervalMs, drained }, atMs);
    },
    facts(boot: string, hardwareSerial: string | undefined, atMs: number) {
      conflicts.facts({ ...identity, bootId: boot, ...(hardwareSerial && { hardwareSerial }) }, atMs, atMs);
    },
    warning: (nowMs: number) => conflicts.warning('case', 'board-3', nowMs),
  };
}

test('two boards that speak by turns are named within three seconds, and until a minute after the last turn', async (t) => {
  const { report, warning } = makeStand();
  for (let atMs = 0; atMs < 10_000; atMs += 1000) report(one, atMs);
  t.equal(warning(10_000), undefined);
  for (let atMs = 10_000; atMs < 13_000; atMs += 1000) {
    report(one, atMs);
    report(two, atMs + 500);
  }
  const sentence = 'two boards report as board-3 (boots boot-1 and boot-2): give one another nodeId';
  t.equal(warning(13_000), sentence);
  for (let atMs = 13_000; atMs < 80_000; atMs += 1000) report(two, atMs);
  t.equal(warning(60_000), sentence);
  t.equal(warning(12_500 + 61_000), undefined, 'the other one has been silent for a minute');
});

test('serials name the boards where both are known', async (t) => {
  const { report, facts, warning } = makeStand();
  facts('boot-1', '10000000aabbccc4', 0);
  facts('boot-2', '100000001122339f', 1);
  for (let atMs = 0; atMs < 5000; atMs += 1000) {
    report(one, atMs);
    report(two, atMs + 100);
  }
  t.equal(warning(5000), 'two boards report as board-3 (serials 1000…9f and 1000…c4): give one another nodeId');
  facts('boot-2', '10000000ffffffc4', 5000);
  t.match(warning(5000), /serials 1000…ccc4 and 1000…ffc4/, 'as long as it takes');
});

test('facts with two serials by turns are a conflict without any report; those that are read again are none', async (t) => {
  const { facts, warning } = makeStand();
  facts('boot-1', 'serial-a', 0);
  facts('boot-2', 'serial-b', 10_000);
  facts('boot-1', 'serial-a', 0);
  facts('boot-2', 'serial-b', 10_000);
  t.equal(warning(10_000), undefined, 'the topic was read from its beginning once more');
  facts('boot-1', 'serial-a', 20_000);
  t.equal(warning(20_000), 'two boards report as board-3 (serials serial-a and serial-b): give one another nodeId');
  t.equal(warning(80_001), undefined);
  facts('boot-1', undefined, 90_000);
  t.equal(warning(90_000), undefined);
});

test('two agents on one board are told as such', async (t) => {
  const { report, warning } = makeStand();
  for (let atMs = 0; atMs < 5000; atMs += 1000) {
    report(one, atMs);
    report({ boot: 'boot-1', run: 'run-9' }, atMs + 500);
  }
  t.equal(warning(5000), 'two agents on one board report as board-3: stop one, or give it another nodeId');
});

/** Each is something that one board alone does, or its successor. */
const HARMLESS: Record<string, (stand: ReturnType<typeof makeStand>) => void> = {
  'a reboot': ({ report }) => {
    for (let atMs = 0; atMs < 30_000; atMs += 1000) report(one, atMs);
    for (let atMs = 31_000; atMs < 60_000; atMs += 1000) report(two, atMs);
  },
  'what the boot before left in the spool': ({ report }) => {
    for (let atMs = 0; atMs < 30_000; atMs += 1000) report(one, atMs);
    for (let atMs = 30_000; atMs < 60_000; atMs += 1000) {
      report(two, atMs);
      report(one, atMs + 10, { drained: true });
    }
  },
  'an agent that is restarted again and again': ({ report }) => {
    for (let atMs = 0; atMs < 60_000; atMs += 1000)
      report({ boot: 'boot-1', run: `run-${Math.floor(atMs / 3000)}` }, atMs);
  },
  'a report that was on its way when its board was cut off': ({ report }) => {
    for (let atMs = 0; atMs < 30_000; atMs += 1000) report(one, atMs);
    report(two, 30_000);
    report(one, 30_001);
    report(one, 30_001);
    for (let atMs = 31_000; atMs < 60_000; atMs += 1000) report(two, atMs);
  },
  'records that are delivered again': ({ report }) => {
    for (let atMs = 0; atMs < 10_000; atMs += 1000) report(one, atMs);
    for (let atMs = 10_000; atMs < 20_000; atMs += 1000) report(two, atMs);
    for (let seq = 0; seq < 10; seq += 1) {
      report(one, 20_000 + seq, { seq });
      report(two, 20_000 + seq, { seq });
    }
    for (let atMs = 21_000; atMs < 60_000; atMs += 1000) report(two, atMs);
  },
  'a board that takes over, and the first one back a while later': ({ report }) => {
    report(one, 0);
    report(two, 30_000);
    for (let atMs = 91_000; atMs < 120_000; atMs += 1000) report(one, atMs);
  },
};

for (const [what, happens] of Object.entries(HARMLESS)) {
  test(`${what} is no conflict`, async (t) => {
    const stand = makeStand();
    happens(stand);
    for (const nowMs of [31_000, 60_000, 120_000]) t.equal(stand.warning(nowMs), undefined);
  });
}

test('other nodes and other clusters with one name are apart', async (t) => {
  const conflicts = new IdentityConflicts();
  for (let seq = 0; seq < 10; seq += 1) {
    for (const [clusterId, nodeId] of [
      ['x', 'a'],
      ['y', 'a'],
      ['x', 'b'],
    ] as const) {
      const run = `${clusterId}${nodeId}`;
      conflicts.report(
        { clusterId, nodeId, bootId: run, runId: run, seq, intervalMs: 1000, drained: false },
        seq * 1000,
      );
    }
  }
  for (const [clusterId, nodeId] of [
    ['x', 'a'],
    ['y', 'a'],
    ['x', 'b'],
    ['z', 'c'],
  ] as const) {
    t.equal(conflicts.warning(clusterId, nodeId, 10_000), undefined);
  }
});

test('boards with long intervals have longer to take turns', async (t) => {
  const { report, warning } = makeStand();
  for (let atMs = 0; atMs <= 400_000; atMs += 100_000) {
    report({ ...one, intervalMs: 100_000 }, atMs);
    report({ ...two, intervalMs: 100_000 }, atMs + 20_000);
  }
  t.match(warning(420_000), /^two boards/);
});

function atRandom(t: Test, round: (random: ReturnType<typeof randomFor>) => string | undefined) {
  const random = randomFor(t);
  const problems = Array.from({ length: 200 }, () => round(random)).filter((problem) => problem !== undefined);
  t.same(problems, []);
}

test('any history of one board at a time, however often it is replaced or its records come again, is no conflict', async (t) => {
  atRandom(t, (random) => {
    const { report, warning } = makeStand();
    const heard: [Board, number][] = [];
    let atMs = 0;
    for (let life = 0; life < random.int(1, 12); life += 1) {
      const board = { boot: `boot-${random.int(0, 3)}-${life}`, run: `run-${life}` };
      const count = random.int(1, 8);
      for (let seq = 0; seq < count; seq += 1) {
        atMs += random.int(1, 3000);
        report(board, atMs, { seq });
        heard.push([board, seq]);
        if (random.next() < 0.2) {
          const [again, itsSeq] = random.pick(heard);
          report(again, atMs, { seq: itsSeq, drained: random.next() < 0.5 });
        }
        const told = warning(atMs);
        if (told) return told;
      }
    }
    return undefined;
  });
});

test('boards that go on side by side are found, all of them', async (t) => {
  atRandom(t, (random) => {
    const { report, warning } = makeStand();
    const boards = Array.from({ length: random.int(2, 4) }, (_, index) => ({
      boot: `boot-${index}`,
      run: `run-${index}`,
    }));
    const offsets = boards.map(() => random.int(0, 999));
    for (let second = 0; second < 12; second += 1) {
      const order = boards.map((board, index) => ({ board, atMs: second * 1000 + (offsets[index] ?? 0) }));
      for (const { board, atMs } of order.sort((a, b) => a.atMs - b.atMs)) report(board, atMs);
    }
    const told = warning(12_000) ?? 'nothing';
    return boards.every(({ boot }) => told.includes(boot)) ? undefined : `${boards.length} boards: ${told}`;
  });
});
