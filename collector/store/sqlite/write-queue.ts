import type { Clock } from '../../../lib/clock.ts';
import { ErichtError } from '../../../lib/errors.ts';
import { errorOf, type WriteOperation, type WriteResult, type WriterThread } from './protocol.ts';
import type { Thread } from './thread.ts';

/** A transaction takes all that came while the one before it was synced, up to this many rows. */
const MAX_ROWS_PER_TRANSACTION = 5000;
/** More rows than this never wait: the caller is told to come again. */
const MAX_WAITING_ROWS = 50_000;
const WRITE_LIMIT_MS = 30_000;

interface Waiting {
  operation: WriteOperation;
  rows: number;
  resolve(result: WriteResult): void;
  reject(error: unknown): void;
}

/** Group commit: one sync of the disk serves every operation that waits for it. */
export class WriteQueue {
  readonly #thread: Thread<WriterThread>;
  readonly #clock: Clock;
  #waiting: Waiting[] = [];
  #waitingRows = 0;
  #running: Promise<void> | undefined;

  constructor(thread: Thread<WriterThread>, clock: Clock) {
    this.#thread = thread;
    this.#clock = clock;
  }

  /** Resolves after the operation is durable. */
  write(operation: WriteOperation): Promise<WriteResult> {
    const rows = 'rows' in operation ? operation.rows.length : 1;
    if (this.#waitingRows > 0 && this.#waitingRows + rows > MAX_WAITING_ROWS) {
      const why = `${this.#waitingRows} rows wait to be written`;
      return Promise.reject(new ErichtError('STORE_OVERLOADED', { what: 'the store is behind', why }));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ operation, rows, resolve, reject });
      this.#waitingRows += rows;
      this.#running ??= this.#run().finally(() => {
        this.#running = undefined;
      });
    });
  }

  /** Resolves when nothing is waiting any more. */
  async drained(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#takeGroup();
      try {
        const operations = group.map(({ operation }) => operation);
        const results = await this.#thread.call('write', WRITE_LIMIT_MS, operations, this.#clock.now());
        for (const [index, waiting] of group.entries()) {
          const { error, ...result } = results[index] ?? {};
          if (error) waiting.reject(errorOf(error));
          else waiting.resolve(result);
        }
      } catch (error) {
        for (const waiting of group) waiting.reject(error);
      }
    }
  }

  #takeGroup(): Waiting[] {
    const group: Waiting[] = [];
    let rows = 0;
    while (this.#waiting.length > 0 && (group.length === 0 || rows < MAX_ROWS_PER_TRANSACTION)) {
      const next = this.#waiting.shift()!;
      rows += next.rows;
      group.push(next);
    }
    this.#waitingRows -= rows;
    return group;
  }
}
