import { ErichtError, reasonOf } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import type { Rare } from '../../lib/rare.ts';
import type { Hold } from '../hold.ts';
import type { AsideRecord } from '../record.ts';
import type { AsideStore } from '../store/port.ts';
import { shortenedCopies } from './shortened.ts';

/**
 * Keeps dead letters and overflow so that no partition ever waits for one record: a place that is away is waited for,
 * and what the place refuses for good is kept shortened.
 */
export class AsideKeeper {
  readonly #aside: AsideStore;
  readonly #hold: Hold;
  readonly #log: Log;
  readonly #rare: Rare;

  constructor(parts: { aside: AsideStore; hold: Hold; log: Log; rare: Rare }) {
    this.#aside = parts.aside;
    this.#hold = parts.hold;
    this.#log = parts.log;
    this.#rare = parts.rare;
  }

  /**
   * Resolves with how many are durable, however long it takes: all, but for records that are refused even without
   * their body, and those are told as errors. Rejects with STOPPED only.
   */
  async keep(records: AsideRecord[], signal: AbortSignal): Promise<number> {
    if (records.length === 0) return 0;
    const refusal = await this.#tryAll(records, signal);
    if (refusal === undefined) {
      for (const record of records) this.#tell(record);
      return records.length;
    }
    if (records.length === 1) return this.#shortened(records[0] as AsideRecord, refusal, signal);
    // What was kept before the refusal is kept once more: readers count different records.
    let kept = 0;
    for (const record of records) kept += await this.keep([record], signal);
    return kept;
  }

  async #shortened(record: AsideRecord, refusal: ErichtError, signal: AbortSignal): Promise<number> {
    let last = refusal;
    for (const copy of shortenedCopies(record, reasonOf(refusal))) {
      const again = await this.#tryAll([copy], signal);
      if (again === undefined) {
        this.#tell(copy);
        return 1;
      }
      last = again;
    }
    const { topic, partition, offset } = record.record;
    const times = this.#rare.happened(`${topic} refused`);
    if (times > 0) {
      const where = `what is left of it is record ${offset} of ${topic}, partition ${partition}, for as long as that is kept`;
      this.#log.error({ topic, partition, offset, times }, `a ${record.kind} was refused: ${last.message}; ${where}`);
    }
    return 0;
  }

  /** Undefined when all are durable, else why they are refused for good. */
  async #tryAll(records: AsideRecord[], signal: AbortSignal): Promise<ErichtError | undefined> {
    try {
      await this.#hold.until(() => this.#aside.writeAside(records), { signal, isFinal: isRefusal });
      return undefined;
    } catch (error) {
      if (error instanceof ErichtError && isRefusal(error)) return error;
      throw error;
    }
  }

  #tell({ reason, detail, record, originalBytes }: AsideRecord): void {
    const { topic, partition, offset } = record;
    const isCut = originalBytes !== undefined;
    const times = this.#rare.happened(`${topic} ${reason}${isCut ? ' cut' : ''}`);
    if (times === 0) return;
    const which = `record ${offset} of ${topic}, partition ${partition},`;
    const fields = { topic, partition, offset, reason, times };
    this.#log[isCut ? 'error' : 'warn'](fields, `${which} was set aside (${reason}): ${detail}`);
  }
}

/** The same again would be refused again. */
function isRefusal({ code }: ErichtError): boolean {
  return code === 'KAFKA_RECORD_REFUSED' || code === 'STORE_ROW_REFUSED';
}
