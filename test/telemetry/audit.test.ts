import t from 'tap';
import type { Claim, SeqRange } from '../../telemetry/accounting.ts';
import { AUDIT_GRACE_MS, type AuditedRow, NodeAudit, type RunVerdict } from '../../telemetry/audit.ts';
import { seededRandom } from '../helpers/seeded-random.ts';
import { type History, randomHistory } from './audit-history.ts';

const NOW = Date.UTC(2026, 5, 1);
const LONG_AGO = NOW - 3_600_000;
const EXACT: Claim = { unacknowledged: [], dropped: [] };

function row(runId: string, seq: number, rest: Partial<AuditedRow> = {}): AuditedRow {
  const placedAt = LONG_AGO + seq * 1000;
  return { runId, seq, placedAt, appendedAt: placedAt + 20, goodbye: false, claim: EXACT, ...rest };
}

function audit(rows: AuditedRow[], asides: [kind: 'dead-letter' | 'overflow', seq: number][] = []): RunVerdict[] {
  const node = new NodeAudit({ nowMs: NOW, fromMs: LONG_AGO - 1000 });
  for (const each of rows) node.row(each);
  for (const [kind, seq] of asides) node.aside(kind, 'a', seq);
  return node.verdicts();
}

function only(verdicts: RunVerdict[]): RunVerdict {
  if (verdicts.length !== 1 || verdicts[0] === undefined) throw new Error(`${verdicts.length} runs`);
  return verdicts[0];
}

const seqs = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

t.test('a run that is stored whole is neither lost nor duplicated', async (t) => {
  const verdict = only(audit(seqs(0, 9).map((seq) => row('a', seq, { goodbye: seq === 9 }))));
  t.match(verdict, { fromSeq: 0, nextSeq: 10, stored: 10, acknowledged: 9, lost: 0, duplicates: [], gaps: [] });
  t.notOk('untoldFrom' in verdict);
  t.equal(verdict.goodbye, true);
});

t.test('three missing rows and one copied row are named, and nothing else is', async (t) => {
  const rows = seqs(0, 99)
    .filter((seq) => ![0, 40, 41].includes(seq))
    .map((seq) => row('a', seq));
  rows.push(row('a', 7, { placedAt: LONG_AGO + 500 }));
  const verdict = only(audit(rows));
  t.equal(verdict.lost, 3);
  t.strictSame(verdict.gaps, [
    { from: 0, to: 0, verdict: 'lost' },
    { from: 40, to: 41, verdict: 'lost' },
  ]);
  t.strictSame(verdict.duplicates, [{ from: 7, to: 7 }]);
});

t.test('a gap is lost only once a claim of the grace age acknowledges it', async (t) => {
  const recent = (seq: number, ageMs: number) => row('a', seq, { placedAt: NOW - ageMs, appendedAt: NOW - ageMs });
  const told = (ageMs: number) => only(audit([recent(0, ageMs + 2000), recent(2, ageMs)]));
  t.match(told(AUDIT_GRACE_MS - 1), { lost: 0, onItsWay: 1, gaps: [{ from: 1, to: 1, verdict: 'on-its-way' }] });
  t.match(told(AUDIT_GRACE_MS), { lost: 1, onItsWay: 0, gaps: [{ from: 1, to: 1, verdict: 'lost' }] });
});

t.test('what was given up, set aside or still waits is not lost, and each is told apart', async (t) => {
  const claim: Claim = { unacknowledged: [{ from: 5, to: 6 }], dropped: [{ from: 3, to: 3, reason: 'queue-full' }] };
  const rows = [0, 7].map((seq) => row('a', seq, { claim: seq === 7 ? claim : EXACT }));
  const verdict = only(
    audit(rows, [
      ['dead-letter', 1],
      ['overflow', 2],
    ]),
  );
  t.strictSame(verdict.gaps, [
    { from: 1, to: 1, verdict: 'dead-letter' },
    { from: 2, to: 2, verdict: 'overflow' },
    { from: 3, to: 3, verdict: 'not-sent' },
    { from: 4, to: 4, verdict: 'lost' },
    { from: 5, to: 6, verdict: 'waiting' },
  ]);
});

t.test('an acknowledgement is for ever, however wide a later claim is', async (t) => {
  const wide: Claim = { unacknowledged: [{ from: 0, to: 3 }], dropped: [] };
  const verdict = only(audit([row('a', 0), row('a', 1), row('a', 3), row('a', 4, { claim: wide })]));
  t.match(verdict, { lost: 1, waiting: 0 });
});

t.test('a later run tells of the spool of a dead one; what it no longer names is unknown, never 0 lost', async (t) => {
  const earlier = (unacknowledged: SeqRange[]) => ({
    ...EXACT,
    earlierRuns: [{ runId: 'a', nextSeq: 10, unacknowledged, dropped: [] }],
  });
  const dead = [0, 1, 2, 3].map((seq) => row('a', seq));
  const later = (seq: number, claim: Claim) => row('b', seq, { placedAt: LONG_AGO + 20_000 + seq * 1000, claim });
  const spooled = audit([...dead, later(0, earlier([{ from: 4, to: 9 }]))]);
  t.match(spooled[0], { runId: 'a', waiting: 6, unknown: 0, lost: 0, untoldFrom: 10 });
  const drained = audit([...dead, later(0, earlier([{ from: 4, to: 9 }])), later(1, earlier([{ from: 8, to: 9 }]))]);
  t.match(drained[0], { lost: 4, waiting: 2 }, 'told as drained, and in no place');
  const silent = audit([...dead, later(0, earlier([{ from: 4, to: 9 }])), later(1, EXACT)]);
  t.match(silent[0], { lost: 0, waiting: 0, unknown: 6, untoldFrom: 10 });
});

t.test('a new run that drains the spool of the old one is the newest, although the old rows come later', async (t) => {
  const earlier = { runId: 'a', nextSeq: 5, unacknowledged: [{ from: 0, to: 4 }], dropped: [] };
  const live = row('b', 3, { claim: { unacknowledged: [{ from: 1, to: 2 }], dropped: [], earlierRuns: [earlier] } });
  const drainedLater = row('a', 2, { appendedAt: live.appendedAt + 5000, claim: EXACT });
  const verdicts = audit([row('b', 0), live, drainedLater]);
  t.match(
    verdicts.find(({ runId }) => runId === 'b'),
    { waiting: 2, unknown: 0 },
  );
});

t.test('a run that may have begun before the window is judged from where the window begins', async (t) => {
  const node = new NodeAudit({ nowMs: NOW, fromMs: LONG_AGO });
  for (const seq of seqs(505, 600)) node.row(row('a', seq, { placedAt: LONG_AGO + (seq - 500) * 1000 }));
  const verdict = only(node.verdicts());
  t.match(verdict, { fromSeq: 500, lost: 5 }, '500 to 504 fall into the window, 0 to 499 before it');
});

t.test('an earlier run whose rows may all have expired is unknown, not lost', async (t) => {
  const earlierRuns = [{ runId: 'a', nextSeq: 1000, unacknowledged: [{ from: 990, to: 999 }], dropped: [] }];
  const [old] = audit([row('b', 0, { claim: { ...EXACT, earlierRuns } })]).filter(({ runId }) => runId === 'a');
  t.match(old, { lost: 0, unknown: 990, waiting: 10 });
});

t.test('aside records of a run of which nothing else is known judge nothing', async (t) => {
  const verdict = only(audit([], [['dead-letter', 1_000_000_000_000]]));
  t.match(verdict, { deadLettered: 1, lost: 0, unknown: 0, gaps: [] });
});

t.test('random histories: the verdict is the truth', async (t) => {
  const seed = Number(process.env.ERICHT_TEST_SEED ?? Math.floor(Math.random() * 1e9));
  t.comment(`ERICHT_TEST_SEED=${seed}`);
  for (let n = 0; n < 300; n += 1) {
    const history = randomHistory(seededRandom(seed + n).next, NOW);
    const verdicts = auditOf(history);
    const told = Object.fromEntries(
      ['lost', 'not-sent', 'dead-letter', 'overflow'].map((verdict) => [verdict, named(verdicts, verdict)]),
    );
    const same =
      JSON.stringify(told) === JSON.stringify(history.truth) &&
      JSON.stringify(duplicatesOf(verdicts)) === JSON.stringify(history.duplicates);
    if (!same) {
      t.strictSame(told, history.truth, `history of seed ${seed + n}`);
      t.strictSame(duplicatesOf(verdicts), history.duplicates, `duplicates of seed ${seed + n}`);
      return;
    }
    const early = auditOf(history, history.rows[Math.floor(history.rows.length / 2)]?.appendedAt);
    const premature = named(early, 'lost').filter((each) => !history.truth.lost.includes(each));
    if (premature.length > 0) return t.fail(`seed ${seed + n} at half time: ${premature} were called lost`);
  }
  t.pass('300 histories');
});

t.test('a week of a node at 1 Hz is judged in seconds and a few ranges', async (t) => {
  const node = new NodeAudit({ nowMs: NOW, fromMs: LONG_AGO });
  const claim = (seq: number): Claim => ({ unacknowledged: seq ? [{ from: seq - 1, to: seq - 1 }] : [], dropped: [] });
  for (let seq = 0; seq < 604_800; seq += 1) node.row(row('a', seq, { placedAt: LONG_AGO + seq, claim: claim(seq) }));
  t.match(only(node.verdicts()), { stored: 604_800, lost: 0 });
});

function auditOf(history: History, nowMs = NOW): RunVerdict[] {
  const node = new NodeAudit({ nowMs, fromMs: NOW - 3_600_000 });
  for (const each of history.rows) if (each.appendedAt <= nowMs) node.row(each);
  for (const { kind, runId, seq } of history.asides) node.aside(kind, runId, seq);
  return node.verdicts();
}

function named(verdicts: RunVerdict[], verdict: string): string[] {
  const gaps = verdicts.flatMap(({ runId, gaps }) => gaps.map((gap) => ({ runId, ...gap })));
  return gaps
    .filter((gap) => gap.verdict === verdict)
    .flatMap(({ runId, from, to }) => seqs(from, to).map((seq) => `${runId}/${seq}`))
    .sort();
}

function duplicatesOf(verdicts: RunVerdict[]): string[] {
  return verdicts
    .flatMap(({ runId, duplicates }) =>
      duplicates.flatMap(({ from, to }) => seqs(from, to).map((s) => `${runId}/${s}`)),
    )
    .sort();
}
