import { decodeFacts, decodeReport } from '../../telemetry/codec.ts';
import type { Facts } from '../../telemetry/facts.ts';
import type { OutgoingRecord, RecordSink } from '../../telemetry/link.ts';
import type { Report } from '../../telemetry/report.ts';

/** What a sink does with the next sends: takes them, rejects with this error, or never answers. */
export type SinkMode = 'up' | 'hanging' | Error;

/** A sink that keeps what it is given, and behaves as a test says. */
export class MemorySink implements RecordSink {
  readonly name = 'memory';
  /** Each send that was taken. */
  readonly sends: OutgoingRecord[][] = [];
  mode: SinkMode = 'up';
  attempts = 0;
  underWay = 0;
  mostUnderWay = 0;
  started = 0;
  stopped = 0;
  /** Asked before each send is taken; throws what the sink shall reject with. */
  inspect: (records: OutgoingRecord[]) => void | Promise<void> = () => {};
  #release: (() => void)[] = [];

  async start(): Promise<void> {
    this.started += 1;
  }

  async send(records: OutgoingRecord[]): Promise<void> {
    this.attempts += 1;
    this.underWay += 1;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
    try {
      if (this.mode === 'hanging') await new Promise<void>((resolve) => this.#release.push(resolve));
      if (this.mode instanceof Error) throw this.mode;
      await this.inspect(records);
      this.sends.push(records);
    } finally {
      this.underWay -= 1;
    }
  }

  async stop(): Promise<void> {
    this.stopped += 1;
  }

  /** Lets hanging sends go on, as `mode` then says. */
  release(mode: SinkMode = 'up'): void {
    this.mode = mode;
    for (const resolve of this.#release.splice(0)) resolve();
  }

  reports(): Report[] {
    return this.sends
      .flat()
      .filter(({ kind }) => kind === 'report')
      .map(reportOf);
  }

  facts(): Facts[] {
    return this.sends
      .flat()
      .filter(({ kind }) => kind === 'facts')
      .map(({ value }) => {
        const decoded = decodeFacts(value);
        if (!decoded.ok) throw new Error(decoded.detail);
        return decoded.value;
      });
  }
}

export function reportOf(record: OutgoingRecord): Report {
  const decoded = decodeReport(record.value);
  if (!decoded.ok) throw new Error(`${decoded.problem}: ${decoded.detail}`);
  return decoded.value;
}
