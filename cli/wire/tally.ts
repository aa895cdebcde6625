import { audit } from '../../collector/audit.ts';
import type { AsideReader, StoreReader } from '../../collector/store/port.ts';
import type { Clock } from '../../lib/clock.ts';
import { toErichtError } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { SeqSet } from '../../telemetry/seq-set.ts';
import type { Settings } from '../settings.ts';
import { kafkaAsideReader } from './kafka.ts';
import { makeStore } from './store.ts';

/** What became of the reports of some runs, counted in the store itself. */
export interface Tally {
  /** Different reports that have a row. */
  stored: number;
  deadLettered: number;
  overflowed: number;
  /** Acknowledged, and in no place. */
  lost: number;
  /** Rows beyond the first of a report. */
  duplicates: number;
}

/** What the agents of this process were told, by themselves: the ledger that the store is held against. */
export class AcknowledgedLedger {
  readonly runs = new Map<string, SeqSet>();

  take(ids: { runId: string; seq: number }[]): void {
    for (const { runId, seq } of ids) this.#run(runId).add(seq);
  }

  #run(runId: string): SeqSet {
    const known = this.runs.get(runId);
    if (known) return known;
    const made = new SeqSet();
    this.runs.set(runId, made);
    return made;
  }
}

export interface CountOptions {
  settings: Settings;
  /** Node of each run of this process. */
  runs: Map<string, string>;
  ledger: AcknowledgedLedger;
  startedAt: number;
  clock: Clock;
  log: Log;
}

/** Reports are placed by their own clock, which may be off by some. */
const SLACK_MS = 3_600_000;

/**
 * Counts in the store, opened anew and read-only: what the parts that wrote believe is not asked. On the link an
 * acknowledgement comes after the COMMIT, so what is missing is lost; over Kafka it may be on its way, and the audit
 * decides.
 */
export async function countStored(options: CountOptions): Promise<Tally & { onItsWay?: number }> {
  const { settings, clock, log, startedAt, runs } = options;
  const { store, aside } = await makeStore(settings, { access: 'read', clock, log });
  const setAside =
    aside && settings.config.transport === 'link' ? aside : await kafkaAsideReader(settings, { clock, log });
  const span = { clusterId: settings.clusterId, fromMs: startedAt - SLACK_MS, toMs: clock.now() + SLACK_MS };
  try {
    await store.start();
  } catch (error) {
    // Not even the tables were made, as on a disk that was full from the start.
    if (toErichtError(error).code !== 'STORE_EMPTY') throw error;
    return tally({ ...options, ...span, reader: NOTHING, aside: NOTHING });
  }
  try {
    if (settings.config.transport === 'link')
      return await tally({ ...options, ...span, reader: store, aside: setAside });
    const result = await audit({
      reader: store,
      aside: setAside,
      clusterId: settings.clusterId,
      sinceMs: span.fromMs,
      nowMs: await store.nowMs(),
    });
    const judged = result.nodes.flatMap((node) => node.runs).filter(({ runId }) => runs.has(runId));
    const sum = (of: (run: (typeof judged)[number]) => number) => judged.reduce((total, run) => total + of(run), 0);
    return {
      stored: sum((run) => run.stored),
      deadLettered: sum((run) => run.deadLettered),
      overflowed: sum((run) => run.overflowed),
      lost: sum((run) => run.lost),
      duplicates: sum((run) => run.duplicates),
      onItsWay: sum((run) => run.onItsWay),
    };
  } finally {
    await store.stop();
  }
}

const NOTHING: TallyOptions['reader'] & AsideReader = {
  async *keys() {},
  async *asideKeys() {},
  keptSinceMs: async () => 0,
};

export interface TallyOptions {
  clusterId: string;
  runs: Map<string, string>;
  ledger: AcknowledgedLedger;
  reader: Pick<StoreReader, 'keys' | 'keptSinceMs'>;
  aside: AsideReader;
  /** Rows are looked for from here to `toMs`, epoch milliseconds. */
  fromMs: number;
  toMs: number;
}

/** Reads every row key of the runs. */
export async function tally({ clusterId, runs, ledger, reader, aside, fromMs, toMs }: TallyOptions): Promise<Tally> {
  const counts: Tally = { stored: 0, deadLettered: 0, overflowed: 0, lost: 0, duplicates: 0 };
  const found = new Map<string, SeqSet>([...runs.keys()].map((runId) => [runId, new SeqSet()]));
  for (const nodeId of new Set(runs.values())) {
    for await (const page of reader.keys({ clusterId, nodeId, fromMs, toMs })) {
      for (const { runId, seq } of page) {
        const run = found.get(runId);
        if (!run) continue;
        if (run.has(seq)) counts.duplicates += 1;
        else counts.stored += 1;
        run.add(seq);
      }
    }
  }
  const firstKept = new Map([...found].map(([runId, run]) => [runId, run.first ?? 0]));
  for await (const page of aside.asideKeys()) {
    for (const { kind, runId, seq } of page) {
      const run = runId === undefined ? undefined : found.get(runId);
      if (!run) continue;
      if (kind === 'dead-letter') counts.deadLettered += 1;
      else counts.overflowed += 1;
      if (seq !== undefined) run.add(seq);
    }
  }
  // What is older than the store keeps was not lost: it is judged from the first row that is still there.
  const someAreGone = (await reader.keptSinceMs()) > fromMs;
  for (const [runId, run] of found) {
    const from = someAreGone ? (firstKept.get(runId) ?? 0) : 0;
    for (const range of ledger.runs.get(runId)?.ranges() ?? []) {
      if (range.to < from) continue;
      for (const missing of run.split({ from: Math.max(range.from, from), to: range.to }).outside) {
        counts.lost += missing.to - missing.from + 1;
      }
    }
  }
  return counts;
}
