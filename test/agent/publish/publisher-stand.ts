import type { Test } from 'tap';
import { Publisher, type PublisherOptions } from '../../../agent/publish/publisher.ts';
import { ErichtError } from '../../../lib/errors.ts';
import type { Claim } from '../../../telemetry/accounting.ts';
import type { Report } from '../../../telemetry/report.ts';
import type { FragileFiles } from '../../helpers/fragile-files.ts';
import { recordingLog } from '../../helpers/kafka-records.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import { MemorySink } from '../../helpers/memory-sink.ts';
import { tempDir } from '../../helpers/temp.ts';

export const away = new ErichtError('KAFKA_UNREACHABLE', { what: 'cannot reach Kafka' });
export const refused = new ErichtError('KAFKA_RECORD_REFUSED', { what: 'Kafka refuses the record' });
export const NOTHING: Claim = { unacknowledged: [], dropped: [] };

interface StandOptions extends Partial<PublisherOptions> {
  /** Absent: no spool. */
  disk?: FragileFiles;
  directory?: string;
  runId?: string;
  bootId?: string;
  maxBytes?: number;
}

/** A publisher with its surroundings; `sample` offers one report and lets a second pass. */
export async function makePublisher(
  t: Test,
  { disk, directory, runId = 'run', bootId = 'boot', maxBytes, ...more }: StandOptions = {},
) {
  const clock = (more.clock as ManualClock) ?? new ManualClock();
  const sink = (more.sink as MemorySink) ?? new MemorySink();
  const log = recordingLog();
  const acknowledged: string[] = [];
  const spool = disk && {
    directory: directory ?? (await tempDir(t)),
    maxBytes: maxBytes ?? 64 * 1024 * 1024,
    maxAgeMs: 7 * 86_400_000,
    files: disk,
  };
  const publisher = new Publisher({
    identity: { clusterId: 'case', nodeId: 'node', bootId, runId },
    spool,
    uptimeMs: () => clock.monotonicMs(),
    clockSynchronised: () => true,
    acknowledged: (ids) => acknowledged.push(...ids.map(({ runId, seq }) => `${runId}/${seq}`)),
    ...more,
    clock,
    sink,
    log,
  });
  let seq = 0;
  const offer = (fields: Partial<Report> = {}) => {
    publisher.offer({
      schemaVersion: 1,
      clusterId: 'case',
      nodeId: 'node',
      bootId,
      runId,
      timestamp: clock.now(),
      seq: seq++,
      uptimeMs: Math.round(clock.monotonicMs()),
      clockSynchronised: true,
      drained: false,
      intervalMs: 1000,
      claim: NOTHING,
      ...fields,
    });
  };
  const sample = async (times = 1) => {
    for (let n = 0; n < times; n += 1) {
      offer();
      await clock.advance(1000);
    }
  };
  const stop = async () => {
    let stopped = false;
    const stopping = publisher.stop().then(() => (stopped = true));
    const fromMs = clock.monotonicMs();
    while (!stopped && clock.monotonicMs() - fromMs < 10_000) await clock.advance(50);
    await stopping;
    return clock.monotonicMs() - fromMs;
  };
  t.teardown(stop);
  await publisher.start();
  await clock.advance(0);
  return { publisher, clock, sink, log, acknowledged, offer, sample, stop };
}

export const upTo = (count: number, from = 0) => Array.from({ length: count }, (_, index) => from + index);
export const seqs = (reports: Report[]) => reports.map(({ seq }) => seq);
