import type { Clock } from '../lib/clock.ts';
import { reasonOf } from '../lib/errors.ts';
import type { Report } from '../telemetry/report.ts';
import type { AsideKeeper } from './aside/keeper.ts';
import { LowWaterMark } from './commit.ts';
import { deadLetter, openFacts, openReport } from './decode.ts';
import type { Hold } from './hold.ts';
import type { Placement, Placer } from './place.ts';
import type { AsideRecord, IncomingRecord, PlacedReport } from './record.ts';
import { RedeliveryProbe } from './redelivery.ts';
import type { SourceBatch, SourcePartition } from './source.ts';
import type { StoredFacts, StoreReader } from './store/port.ts';
import type { Writer } from './write.ts';

/** Records that are decoded and in flight to the store at once, per partition: this bounds the memory of a batch. */
const CHUNK_RECORDS = 500;

export interface CollectorCounts {
  /** Reports taken in, redelivered ones included. */
  received: number;
  /** Of these, the ones whose rows were in the store already. */
  redelivered: number;
  /** Rows that are durable, redelivered ones not counted again. */
  stored: number;
  deadLettered: number;
  overflowed: number;
}

export interface Workshop {
  writer: Writer;
  asides: AsideKeeper;
  placer: Placer;
  reader: Pick<StoreReader, 'keys'>;
  commitHold: Hold;
  counts: CollectorCounts;
  clock: Clock;
  /** Aborted when the collector stops and waits no longer. */
  stopping: AbortSignal;
}

/** The work on one partition for as long as it is assigned: chunk by chunk, rows first, commit last. */
export class PartitionWork {
  readonly #partition: SourcePartition;
  readonly #shop: Workshop;
  readonly #mark: LowWaterMark;
  readonly #probe: RedeliveryProbe;
  readonly #signal: AbortSignal;

  constructor(partition: SourcePartition, shop: Workshop) {
    this.#partition = partition;
    this.#shop = shop;
    this.#mark = new LowWaterMark(partition, shop.clock);
    this.#probe = new RedeliveryProbe(shop.reader);
    this.#signal = AbortSignal.any([partition.signal, shop.stopping]);
  }

  /** Rejects with STOPPED when the assignment or the collector ends first; what is not committed will come again. */
  async batch({ records }: SourceBatch): Promise<void> {
    for (let i = 0; i < records.length && !this.#signal.aborted; i += CHUNK_RECORDS) {
      const chunk = records.slice(i, i + CHUNK_RECORDS);
      if (this.#partition.role === 'reports') await this.#reports(chunk);
      else await this.#facts(chunk);
      this.#mark.reached((chunk.at(-1) as IncomingRecord).offset);
      if (this.#mark.isDue && !(await this.#commit())) return;
    }
    await this.#commit();
  }

  async #reports(records: IncomingRecord[]): Promise<void> {
    const { writer, asides, counts } = this.#shop;
    const rows: PlacedReport[] = [];
    const sources: IncomingRecord[] = [];
    const aside: AsideRecord[] = [];
    for (const record of records) {
      const placed = await this.#placed(record, aside);
      if (placed === undefined) continue;
      rows.push(placed);
      sources.push(record);
    }
    const redelivered = await this.#redelivered(rows);
    const stored: PlacedReport[] = [];
    const outcomes = await writer.rows(rows, this.#signal);
    for (const [i, row] of rows.entries()) {
      const outcome = outcomes[i];
      if (outcome?.stored) stored.push(row);
      else
        aside.push(deadLetter(sources[i] as IncomingRecord, 'store-refused', outcome?.why ?? 'no answer', row.report));
    }
    const kept = await asides.keep(aside, this.#signal);
    await writer.latest(stored, this.#signal);
    counts.received += records.length;
    counts.redelivered += redelivered;
    counts.stored += stored.length - redelivered;
    counts.deadLettered += kept;
  }

  async #placed(record: IncomingRecord, aside: AsideRecord[]): Promise<PlacedReport | undefined> {
    const opened = openReport(record);
    if (opened === 'nothing') return undefined;
    if ('aside' in opened) {
      aside.push(opened.aside);
      return undefined;
    }
    const placement = this.#shop.placer.placeNow(opened.value, record) ?? (await this.#placement(opened.value, record));
    if ('placed' in placement) return placement.placed;
    aside.push(deadLetter(record, placement.reason, placement.detail, opened.value));
    return undefined;
  }

  /** A report that can't be placed because the store refuses its anchor is set aside; its neighbours go on. */
  async #placement(report: Report, record: IncomingRecord): Promise<Placement> {
    const { writer, placer } = this.#shop;
    try {
      return await writer.untilStored(() => placer.place(report, record), this.#signal);
    } catch (error) {
      if (this.#signal.aborted) throw error;
      return { reason: 'store-refused', detail: reasonOf(error) };
    }
  }

  /** It only counts, so what goes wrong with it for good keeps nothing from being stored. */
  async #redelivered(rows: PlacedReport[]): Promise<number> {
    try {
      return await this.#shop.writer.untilStored(() => this.#probe.count(rows), this.#signal);
    } catch (error) {
      if (this.#signal.aborted) throw error;
      return 0;
    }
  }

  async #facts(records: IncomingRecord[]): Promise<void> {
    const { writer, asides } = this.#shop;
    const aside: AsideRecord[] = [];
    // Facts are always whole, so of several in one chunk only the newest of each node is worth a write.
    const newest = new Map<string, { record: IncomingRecord; facts: StoredFacts }>();
    for (const record of records) {
      const opened = openFacts(record);
      if (opened === 'nothing') continue;
      if ('aside' in opened) {
        aside.push(opened.aside);
        continue;
      }
      const facts = { facts: opened.value, appendedAt: record.appendedAt };
      newest.set(`${facts.facts.clusterId}/${facts.facts.nodeId}`, { record, facts });
    }
    const kept = [...newest.values()];
    const outcomes = await writer.facts(
      kept.map(({ facts }) => facts),
      this.#signal,
    );
    for (const [i, { record, facts }] of kept.entries()) {
      const outcome = outcomes[i];
      if (outcome?.stored) continue;
      aside.push(deadLetter(record, 'store-refused', outcome?.why ?? 'no answer', facts.facts));
    }
    await asides.keep(aside, this.#signal);
  }

  /** False if the assignment is gone. */
  #commit(): Promise<boolean> {
    return this.#shop.commitHold.until(() => this.#mark.commit(), { signal: this.#signal, isFinal: () => false });
  }
}
