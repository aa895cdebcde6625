import { type Claim, MAX_CLAIM_RANGES, type SeqRange } from './accounting.ts';
import { SeqSet } from './seq-set.ts';

/** How long a report that was acknowledged may be on its way before it counts as lost. */
export const AUDIT_GRACE_MS = 60_000;

/** What the audit needs of a stored row. */
export interface AuditedRow {
  runId: string;
  seq: number;
  /** The row's own time. */
  placedAt: number;
  appendedAt: number;
  goodbye: boolean;
  claim: Claim;
}

export interface AuditWindow {
  /** When the audit began, epoch milliseconds: grace counts back from here. */
  nowMs: number;
  /** Only reports of this time and later are judged; rows before it are not given to the audit. */
  fromMs: number;
  /** Rows at this time and later are not given to the audit; default: all are. */
  toMs?: number;
  graceMs?: number;
}

/**
 * Where the reports of a gap are. In the order in which they are tried, the first that fits wins:
 * - `dead-letter`, `overflow`: kept aside, not lost.
 * - `lost`: acknowledged, says a claim that was itself appended at least `graceMs` ago, and yet in no place.
 * - `on-its-way`: acknowledged too, but every claim that says so is younger than that.
 * - `not-sent`: given up by the agent, which told so.
 * - `waiting`: told as not acknowledged, and the node may still send it (it is in the newest run's memory or spool).
 * - `unknown`: nobody can tell: the run is over, and its successors no longer speak of it.
 */
export type GapVerdict = 'dead-letter' | 'overflow' | 'lost' | 'on-its-way' | 'not-sent' | 'waiting' | 'unknown';

/** A run of missing seqs, both ends inclusive. */
export interface Gap extends SeqRange {
  verdict: GapVerdict;
}

export interface RunVerdict {
  runId: string;
  /** The seqs that are judged: from this one ... */
  fromSeq: number;
  /** ... to below this one, the first of which nothing at all is known. */
  nextSeq: number;
  /** Different seqs that are stored. */
  stored: number;
  /** Different seqs that claims call acknowledged. */
  acknowledged: number;
  lost: number;
  onItsWay: number;
  notSent: number;
  waiting: number;
  /** Seqs below nextSeq of which nobody can tell; what a dead run never told comes on top, without a number. */
  unknown: number;
  deadLettered: number;
  overflowed: number;
  /** Its last report said goodbye: there is nothing after it. */
  goodbye: boolean;
  /** The run ended without a goodbye: whether it made reports from this seq on is unknown, and is not 0 lost. */
  untoldFrom?: number;
  /** Seqs that are in more than one row. */
  duplicates: SeqRange[];
  gaps: Gap[];
}

interface RunState {
  runId: string;
  stored: SeqSet;
  duplicates: SeqSet;
  deadLetters: SeqSet;
  overflow: SeqSet;
  /** Acknowledged, say claims of any age; and the part that claims of at least the grace say. */
  acknowledged: SeqSet;
  acknowledgedBeforeGrace: SeqSet;
  dropped: SeqSet;
  /** One above the highest seq that a claim speaks of. */
  toldTo: number;
  /** The rows with the lowest and the highest seq. */
  lowest?: { seq: number; placedAt: number };
  highest?: { seq: number; placedAt: number };
  /** When the first row of the run, or claim that speaks of it, was appended. */
  firstToldAt: number;
  lastAppendedAt: number;
  /** Some other run named this one as earlier than itself. */
  earlier: boolean;
  /** The earlier runs that the row with the highest seq still names; undefined if it may have left some out. */
  speaksOf: string[] | undefined;
  goodbye: boolean;
}

const NOBODY: string[] = [];

/**
 * Judges one node. Rows and aside records come in any order; verdicts() is called once all are in. Pure: it reads no
 * clock and no store.
 *
 * Acknowledged: a row with seq s carries a claim that every seq below s is acknowledged except the ranges that it
 * names, and likewise below `nextSeq` for each earlier run that it names. An acknowledgement is for ever, so what any
 * claim calls acknowledged is so: a newer claim says the same, or less where its ranges were merged to wider ones.
 *
 * Grace: a claim counts for `lost` when the row that carries it was appended at or before `nowMs - graceMs`. The
 * claim was made before the append, so such a report has been acknowledged for at least as long.
 *
 * Window: a missing seq has no time of its own. Between two stored rows of a run it is judged, and above the highest
 * row as far as claims speak. Below the lowest row it is judged if the run surely began within the window: some row
 * of the node was appended before anything that speaks of the run. Else only as far as the run's mean interval puts
 * it at or after `fromMs`; what lies below may have outlived the retention. Of a run without any row that may have
 * begun before the window, what is acknowledged and missing is `unknown`.
 */
export class NodeAudit {
  readonly #window: Required<AuditWindow>;
  readonly #runs = new Map<string, RunState>();
  /** The first append of a row whose claim names all the runs that it knows of. */
  #firstAppendedAt = Number.POSITIVE_INFINITY;

  constructor({ graceMs = AUDIT_GRACE_MS, toMs = Number.POSITIVE_INFINITY, ...window }: AuditWindow) {
    this.#window = { ...window, graceMs, toMs };
  }

  row(row: AuditedRow): void {
    const run = this.#run(row.runId);
    const isFull = claimIsFull(row.claim);
    if (run.stored.has(row.seq)) run.duplicates.add(row.seq);
    run.stored.add(row.seq);
    if (run.lowest === undefined || row.seq < run.lowest.seq) run.lowest = row;
    if (run.highest === undefined || row.seq > run.highest.seq) {
      run.highest = row;
      run.speaksOf = isFull ? undefined : (row.claim.earlierRuns?.map(({ runId }) => runId) ?? NOBODY);
    }
    run.lastAppendedAt = Math.max(run.lastAppendedAt, row.appendedAt);
    if (row.goodbye) run.goodbye = true;
    const old = row.appendedAt <= this.#window.nowMs - this.#window.graceMs;
    takeClaim(run, row.seq, row.claim, row.appendedAt, old);
    for (const earlier of row.claim.earlierRuns ?? []) {
      const run = this.#run(earlier.runId);
      run.earlier = true;
      takeClaim(run, earlier.nextSeq, earlier, row.appendedAt, old);
    }
    if (!isFull) this.#firstAppendedAt = Math.min(this.#firstAppendedAt, row.appendedAt);
  }

  /** `from` to `to`, both inclusive, are kept aside. */
  aside(kind: 'dead-letter' | 'overflow', runId: string, from: number, to: number = from): void {
    const run = this.#run(runId);
    (kind === 'overflow' ? run.overflow : run.deadLetters).add(from, to);
  }

  /** One per run, in the order in which they were first spoken of. */
  verdicts(): RunVerdict[] {
    const newest = this.#newestRun();
    const ordered = [...this.#runs.values()].sort((a, b) => a.firstToldAt - b.firstToldAt);
    return ordered.map((run) => this.#judge(run, newest));
  }

  #run(runId: string): RunState {
    let run = this.#runs.get(runId);
    if (run === undefined) {
      run = {
        runId,
        stored: new SeqSet(),
        duplicates: new SeqSet(),
        deadLetters: new SeqSet(),
        overflow: new SeqSet(),
        acknowledged: new SeqSet(),
        acknowledgedBeforeGrace: new SeqSet(),
        dropped: new SeqSet(),
        toldTo: 0,
        firstToldAt: Number.POSITIVE_INFINITY,
        lastAppendedAt: Number.NEGATIVE_INFINITY,
        earlier: false,
        speaksOf: NOBODY,
        goodbye: false,
      };
      this.#runs.set(runId, run);
    }
    return run;
  }

  #judge(run: RunState, newest: RunState | undefined): RunVerdict {
    const nextSeq = Math.max(
      run.toldTo,
      1 + Math.max(run.stored.last ?? -1, run.deadLetters.last ?? -1, run.overflow.last ?? -1),
    );
    const fromSeq = Math.min(this.#judgedFrom(run) ?? nextSeq, nextSeq);
    const gaps = this.#gaps(run, newest, fromSeq, nextSeq);
    const untoldFrom = this.#endedUntold(run, newest) ? { untoldFrom: nextSeq } : {};
    return {
      runId: run.runId,
      fromSeq,
      nextSeq,
      stored: run.stored.size,
      acknowledged: sizeOf(run.acknowledged.split({ from: fromSeq, to: nextSeq - 1 }).inside),
      lost: sizeOf(gaps, 'lost'),
      onItsWay: sizeOf(gaps, 'on-its-way'),
      notSent: sizeOf(gaps, 'not-sent'),
      waiting: sizeOf(gaps, 'waiting'),
      unknown: sizeOf(gaps, 'unknown'),
      deadLettered: run.deadLetters.size,
      overflowed: run.overflow.size,
      goodbye: run.goodbye,
      ...untoldFrom,
      duplicates: [...run.duplicates.ranges()],
      gaps,
    };
  }

  #gaps(run: RunState, newest: RunState | undefined, fromSeq: number, nextSeq: number): Gap[] {
    const dated = run.lowest !== undefined || this.#beganInWindow(run);
    const places: [GapVerdict, SeqSet][] = [
      ['dead-letter', run.deadLetters],
      ['overflow', run.overflow],
      [dated ? 'lost' : 'unknown', run.acknowledgedBeforeGrace],
      [dated ? 'on-its-way' : 'unknown', run.acknowledged],
      ['not-sent', run.dropped],
    ];
    const gaps: Gap[] = [];
    let missing = nextSeq > fromSeq ? run.stored.split({ from: fromSeq, to: nextSeq - 1 }).outside : [];
    for (const [verdict, set] of places) {
      const parts = missing.map((range) => set.split(range));
      for (const range of parts.flatMap((part) => part.inside)) gaps.push({ ...range, verdict });
      missing = parts.flatMap((part) => part.outside);
    }
    const rest: GapVerdict = mayStillSend(run, newest) ? 'waiting' : 'unknown';
    for (const range of missing) gaps.push({ ...range, verdict: rest });
    return gaps.sort((a, b) => a.from - b.from);
  }

  /** The lowest seq that surely belongs to the window; undefined when nothing but aside records speaks of the run. */
  #judgedFrom(run: RunState): number | undefined {
    if (run.firstToldAt === Number.POSITIVE_INFINITY) return undefined;
    const { lowest, highest } = run;
    if (lowest === undefined || highest === undefined || this.#beganInWindow(run)) return 0;
    const intervalMs = meanIntervalMs(run);
    if (!(intervalMs > 0)) return lowest.seq;
    const before = Math.floor((lowest.placedAt - this.#window.fromMs) / intervalMs);
    return Math.max(0, lowest.seq - Math.max(0, before));
  }

  /**
   * A row that was appended earlier than anything that speaks of this run is another run's, and would name this one if
   * it were older and still spooled; were it older and not spooled, no later claim would speak of it.
   */
  #beganInWindow(run: RunState): boolean {
    return run.firstToldAt > this.#firstAppendedAt;
  }

  /**
   * The run that the node is in: of those that no other calls earlier, the last to be heard. Append order alone would
   * not do, because a new run drains the spool of the one before it.
   */
  #newestRun(): RunState | undefined {
    let newest: RunState | undefined;
    for (const run of this.#runs.values()) {
      if (run.earlier || run.highest === undefined) continue;
      if (newest === undefined || run.lastAppendedAt > newest.lastAppendedAt) newest = run;
    }
    return newest;
  }

  /** Over without a goodbye: a later run has begun, or nothing came for the grace and for three of its intervals. */
  #endedUntold(run: RunState, newest: RunState | undefined): boolean {
    if (run.goodbye || run.firstToldAt === Number.POSITIVE_INFINITY) return false;
    if (run !== newest || run.highest === undefined) return true;
    const quietMs = Math.max(this.#window.graceMs, 3 * meanIntervalMs(run));
    if (run.highest.placedAt >= this.#window.toMs - quietMs) return false;
    return run.lastAppendedAt < this.#window.nowMs - quietMs;
  }
}

function mayStillSend(run: RunState, newest: RunState | undefined): boolean {
  return newest === undefined || newest === run || (newest.speaksOf?.includes(run.runId) ?? true);
}

/** 0 for a run of one row. */
function meanIntervalMs({ lowest, highest }: RunState): number {
  if (lowest === undefined || highest === undefined || highest.seq === lowest.seq) return 0;
  return (highest.placedAt - lowest.placedAt) / (highest.seq - lowest.seq);
}

/** A claim with no room left may leave out some earlier runs; they come in a later one. */
function claimIsFull({ unacknowledged, dropped, earlierRuns = [] }: Claim): boolean {
  if (earlierRuns.length === 0) return false;
  let ranges = unacknowledged.length + dropped.length;
  for (const run of earlierRuns) ranges += run.unacknowledged.length + run.dropped.length;
  return ranges >= MAX_CLAIM_RANGES || earlierRuns.length >= MAX_CLAIM_RANGES;
}

/** What a claim tells of one run, below `nextSeq`. */
function takeClaim(
  run: RunState,
  nextSeq: number,
  told: Omit<Claim, 'earlierRuns'>,
  appendedAt: number,
  old: boolean,
): void {
  run.firstToldAt = Math.min(run.firstToldAt, appendedAt);
  const holes = told.dropped.length === 0 ? told.unacknowledged : [...told.unacknowledged, ...told.dropped];
  run.acknowledged.addExcept(0, nextSeq - 1, holes);
  if (old) run.acknowledgedBeforeGrace.addExcept(0, nextSeq - 1, holes);
  for (const { from, to } of told.dropped) run.dropped.add(from, to);
  run.toldTo = Math.max(run.toldTo, nextSeq);
}

function sizeOf(ranges: (SeqRange & { verdict?: GapVerdict })[], verdict?: GapVerdict): number {
  let size = 0;
  for (const range of ranges) if (range.verdict === verdict) size += range.to - range.from + 1;
  return size;
}
