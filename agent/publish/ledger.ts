import type { Claim, DroppedRange, DropReason, SeqRange } from '../../telemetry/accounting.ts';
import { SeqSet } from '../../telemetry/seq-set.ts';
import { type RunOutstanding, shortenClaim } from './claim.ts';

/** sampled = acknowledged + notSent + waiting, at any moment. */
export interface DeliveryCounts {
  /** Reports that were made. */
  sampled: number;
  acknowledged: number;
  /** Given up, with a reason in the claim. */
  notSent: number;
  /** In memory or on disk. */
  waiting: number;
}

/** What became of the reports of one run. Below `nextSeq`, what is in neither set was acknowledged. */
class RunLedger {
  readonly runId: string;
  readonly outstanding = new SeqSet();
  readonly dropped = new Map<DropReason, SeqSet>();
  nextSeq = 0;
  /** Reports that still wait in the spool; only kept for earlier runs. */
  readonly spooled = new SeqSet();
  /** Claims of own reports from this seq on tell this run's final state; undefined until there is such a claim. */
  toldFrom: number | undefined;

  constructor(runId: string) {
    this.runId = runId;
  }

  acknowledge(seq: number): boolean {
    this.spooled.remove(seq);
    let changed = this.outstanding.remove(seq).length > 0;
    // A report that was given up while its send was under way may arrive after all.
    for (const ranges of this.dropped.values()) changed = ranges.remove(seq).length > 0 || changed;
    return changed;
  }

  drop(range: SeqRange, reason: DropReason): number {
    this.spooled.remove(range.from, range.to);
    let count = 0;
    for (const { from, to } of this.outstanding.remove(range.from, range.to)) {
      const ranges = this.dropped.get(reason) ?? new SeqSet();
      ranges.add(from, to);
      this.dropped.set(reason, ranges);
      count += to - from + 1;
    }
    return count;
  }

  get droppedCount(): number {
    let count = 0;
    for (const ranges of this.dropped.values()) count += ranges.size;
    return count;
  }

  below(limit: number): RunOutstanding {
    const dropped: DroppedRange[] = [];
    for (const [reason, ranges] of this.dropped) {
      for (const range of ranges.below(limit)) dropped.push({ ...range, reason });
    }
    dropped.sort((a, b) => a.from - b.from);
    return { unacknowledged: this.outstanding.below(limit), dropped };
  }
}

/**
 * Which reports were acknowledged, by run: the source of every claim. It may call an acknowledged report outstanding
 * (after a restart it can't know better), never the other way round.
 */
export class DeliveryLedger {
  readonly #own: RunLedger;
  readonly #earlier = new Map<string, RunLedger>();
  #version = 0;

  constructor(runId: string) {
    this.#own = new RunLedger(runId);
  }

  /** Rises whenever a claim made before would differ from one made after. */
  get version(): number {
    return this.#version;
  }

  /** The next report of this run exists; seqs are offered in order, from 0. */
  offered(seq: number): void {
    this.#own.outstanding.add(seq);
    this.#own.nextSeq = seq + 1;
  }

  /** Returns false if it was known already. */
  acknowledged(runId: string, seq: number): boolean {
    const run = this.#run(runId);
    if (!run?.acknowledge(seq)) return false;
    this.#version += 1;
    if (run === this.#own) this.#forgetTold(seq);
    return true;
  }

  /** Gives up what is outstanding of these; returns how many that were. */
  dropped(runId: string, range: SeqRange, reason: DropReason): number {
    const count = this.#run(runId)?.drop(range, reason) ?? 0;
    if (count > 0) this.#version += 1;
    return count;
  }

  isOutstanding(runId: string, seq: number): boolean {
    return this.#run(runId)?.outstanding.has(seq) ?? false;
  }

  /**
   * Takes over a run that left reports in the spool. `claim` is what its newest spooled report said; without it nothing
   * is known of what lies below.
   */
  adoptEarlierRun(runId: string, spooled: readonly SeqRange[], claim: Claim | undefined): void {
    if (spooled.length === 0 || runId === this.#own.runId) return;
    const newest = Math.max(...spooled.map(({ to }) => to));
    const run = new RunLedger(runId);
    run.nextSeq = newest + 1;
    for (const { from, to } of claim?.unacknowledged ?? [{ from: 0, to: newest }]) run.outstanding.add(from, to);
    for (const range of claim?.dropped ?? []) {
      run.outstanding.add(range.from, range.to);
      run.drop(range, range.reason);
    }
    for (const { from, to } of spooled) {
      run.outstanding.add(from, to);
      run.spooled.add(from, to);
    }
    this.#earlier.set(runId, run);
    this.#version += 1;
  }

  /** What a report of this run with this seq says of everything before it. */
  claim(seq: number): Claim {
    const { claim, earlierRunsTold } = shortenClaim(
      this.#own.below(seq),
      [...this.#earlier.values()].map((run) => ({ runId: run.runId, nextSeq: run.nextSeq, ...run.below(run.nextSeq) })),
    );
    for (const runId of earlierRunsTold) {
      const run = this.#earlier.get(runId);
      if (run && run.spooled.size === 0) run.toldFrom ??= seq === this.#own.nextSeq - 1 ? seq : this.#own.nextSeq;
    }
    return claim;
  }

  /** Of this run: reports that exist, and what became of them. */
  counts(): DeliveryCounts {
    const sampled = this.#own.nextSeq;
    const waiting = this.#own.outstanding.size;
    const notSent = this.#own.droppedCount;
    return { sampled, acknowledged: sampled - waiting - notSent, notSent, waiting };
  }

  #run(runId: string): RunLedger | undefined {
    return runId === this.#own.runId ? this.#own : this.#earlier.get(runId);
  }

  /** An earlier run with nothing left in the spool is carried until a report that told its end has arrived. */
  #forgetTold(seq: number): void {
    for (const run of this.#earlier.values()) {
      if (run.toldFrom !== undefined && seq >= run.toldFrom) this.#earlier.delete(run.runId);
    }
  }
}
