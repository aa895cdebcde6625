import type { Claim, SeqRange } from '../../telemetry/accounting.ts';
import type { AuditedRow } from '../../telemetry/audit.ts';

/** What became of a node's reports, by someone who saw it all. Names are "run/seq", sorted. */
export interface History {
  rows: AuditedRow[];
  asides: { kind: 'dead-letter' | 'overflow'; runId: string; seq: number }[];
  truth: Record<'lost' | 'not-sent' | 'dead-letter' | 'overflow', string[]>;
  duplicates: string[];
}

interface Sampled {
  runId: string;
  seq: number;
  placedAt: number;
  state: 'waiting' | 'acknowledged' | 'dropped';
}

/**
 * An agent that samples each second through outages, drops and restarts with its spool kept, and a pipeline that
 * loses, copies and sets aside some of what it acknowledged. It ends settled: everything sent and told, two minutes
 * before `nowMs`.
 */
export function randomHistory(random: () => number, nowMs: number): History {
  const chance = (p: number) => random() < p;
  const ticks = 40 + Math.floor(random() * 120);
  const rates = { loss: random() * 0.1, copy: random() * 0.05, aside: random() * 0.05, drop: random() * 0.2 };
  const history: History = {
    rows: [],
    asides: [],
    truth: { lost: [], 'not-sent': [], 'dead-letter': [], overflow: [] },
    duplicates: [],
  };
  const runs: Sampled[][] = [[]];
  let down = false;

  for (let tick = 0; tick < ticks; tick += 1) {
    const at = nowMs - 120_000 - (ticks - tick) * 1000;
    const settling = tick >= ticks - 3;
    const calm = settling || tick < 2;
    if (!calm && chance(0.04)) runs.push([]);
    down = !calm && (down ? !chance(0.2) : chance(0.1));
    const run = runs.at(-1) as Sampled[];
    run.push({ runId: `run-${runs.length}`, seq: run.length, placedAt: at, state: 'waiting' });
    const waiting = runs.flat().filter(({ state }) => state === 'waiting');
    if (down) {
      for (const each of waiting) if (chance(rates.drop) && each !== run.at(-1)) drop(each);
      continue;
    }
    // Live first, then the oldest: the order in which an agent drains beside its live reports.
    const order = chance(0.5) ? waiting : waiting.toReversed();
    const encoded = order.map((each) => ({ each, claim: claimOf(each, runs, random) }));
    for (const { each, claim } of encoded) deliver(each, claim, at + 30, calm);
  }
  for (const list of [...Object.values(history.truth), history.duplicates]) list.sort();
  return history;

  function drop(each: Sampled): void {
    each.state = 'dropped';
    history.truth['not-sent'].push(`${each.runId}/${each.seq}`);
  }

  function deliver(each: Sampled, claim: Claim, appendedAt: number, calm: boolean): void {
    each.state = 'acknowledged';
    const name = `${each.runId}/${each.seq}`;
    const fate = calm ? 1 : random();
    if (fate < rates.loss) return void history.truth.lost.push(name);
    if (fate < rates.loss + rates.aside) {
      const kind = chance(0.5) ? 'dead-letter' : 'overflow';
      history.truth[kind].push(name);
      return void history.asides.push({ kind, runId: each.runId, seq: each.seq });
    }
    const row = { runId: each.runId, seq: each.seq, placedAt: each.placedAt, appendedAt, goodbye: false, claim };
    history.rows.push(row);
    if (!calm && chance(rates.copy)) {
      history.rows.push({ ...row, placedAt: row.placedAt + 1 + Math.floor(random() * 100_000) });
      history.duplicates.push(name);
    }
  }
}

/** Exact, or with the unacknowledged ranges merged into one that is too wide. */
function claimOf(own: Sampled, runs: Sampled[][], random: () => number): Claim {
  const merged = random() < 0.3;
  const of = (reports: Sampled[]) => ({
    unacknowledged: ranges(reports, 'waiting', merged),
    dropped: ranges(reports, 'dropped', false).map((range) => ({ ...range, reason: 'queue-full' as const })),
  });
  const index = runs.findIndex((run) => run.includes(own));
  const earlierRuns = runs.slice(0, index).flatMap((run) => {
    const runId = run[0]?.runId ?? '';
    return [{ runId, nextSeq: run.length, ...of(run) }];
  });
  return { ...of((runs[index] ?? []).slice(0, own.seq)), earlierRuns };
}

function ranges(reports: Sampled[], state: Sampled['state'], merged: boolean): SeqRange[] {
  const found: SeqRange[] = [];
  for (const { seq } of reports.filter((each) => each.state === state)) {
    const last = found.at(-1);
    if (last !== undefined && (merged || last.to === seq - 1)) last.to = seq;
    else found.push({ from: seq, to: seq });
  }
  return found;
}
