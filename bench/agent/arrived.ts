import { readAll } from '../../test/helpers/kafka-records.ts';
import type { Row } from './rows.ts';

export interface Arrived {
  /** Readings of the processor that arrived, per minute. */
  readings: number;
  /** Times at which containers were read for their CPU or memory. */
  dockerReadings: number;
}

/** What of a row arrived in Kafka, by the times that it gave its readings itself. */
export async function arrived(
  row: Row,
  topic: string,
  broker: string,
  span: { from: number; to: number },
): Promise<Arrived> {
  const values = await readAll([broker], topic);
  const [readings, dockerReadings] = [new Set<number>(), new Set<number>()];
  for (const value of values) {
    if (row.output === 'reports') noteReport(value, readings, dockerReadings);
    else noteLines(value, readings, dockerReadings);
  }
  const inSpan = (times: Set<number>) => [...times].filter((at) => at >= span.from && at < span.to).length;
  const perMinute = (count: number) => (count / (span.to - span.from)) * 60_000;
  return { readings: perMinute(inSpan(readings)), dockerReadings: perMinute(inSpan(dockerReadings)) };
}

function noteReport(value: string, readings: Set<number>, dockerReadings: Set<number>): void {
  const { timestamp, cpu, docker } = JSON.parse(value);
  if (cpu) readings.add(timestamp);
  // A repeated section says when it was made.
  const isFresh = docker !== undefined && docker.sampledAt === undefined;
  const isWhole = docker?.containers?.every((one: { memoryBytes?: number }) => one.memoryBytes !== undefined);
  if (isFresh && isWhole) dockerReadings.add(timestamp);
}

/** `name,tag=… field=… nanoseconds` per line. */
function noteLines(value: string, readings: Set<number>, dockerReadings: Set<number>): void {
  for (const line of value.split('\n')) {
    const at = Math.round(Number(line.slice(line.lastIndexOf(' ') + 1)) / 1e6);
    if (line.startsWith('cpu,cpu=cpu-total')) readings.add(at);
    // Containers of one round have different times: one of them stands for all.
    if (line.startsWith('docker_container_cpu,') && line.includes('container_name=idle-0,')) dockerReadings.add(at);
  }
}
