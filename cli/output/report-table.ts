import type { Finding } from '../../agent/sampler.ts';
import { formatBytes } from '../../lib/bytes.ts';
import type { Report } from '../../telemetry/report.ts';
import { table } from './table.ts';
import { celsius, count, percent, watts } from './units.ts';

type Line = [name: string, value: string | undefined];

/** One report for a person: what was read, then what is absent and why. */
export function reportTable(report: Report, findings: Finding[]): string {
  const { cpu, load, memory, temperature, storage, network, docker } = report;
  const lines: Line[] = [
    ['node', `${report.nodeId} (cluster ${report.clusterId})`],
    ['sampled at', new Date(report.timestamp).toLocaleString()],
    ['clock', report.clockSynchronised ? 'set' : 'not set'],
    ['cpu', percent(cpu?.usageRatio)],
    ['load', load && [load.oneMinute, load.fiveMinutes, load.fifteenMinutes].join(' ')],
    ['memory', memory && `${formatBytes(memory.availableBytes)} of ${formatBytes(memory.totalBytes)} available`],
    ['temperature', celsius(temperature?.temperatureCelsius)],
    ...(storage?.mounts ?? []).map(({ path, availableBytes, totalBytes }): Line => {
      return [`storage ${path}`, `${formatBytes(availableBytes)} of ${formatBytes(totalBytes)} free`];
    }),
    ...(network?.interfaces ?? []).map(({ name, receivedBytes, sentBytes }): Line => {
      return [`network ${name}`, `${formatBytes(receivedBytes)} received, ${formatBytes(sentBytes)} sent`];
    }),
    ['docker', docker && `${count(docker.runningContainers)} containers run`],
    ...(report.rails ?? []).map((rail): Line => [`rail ${rail.label}`, railText(rail)]),
  ];
  const absent = findings.filter(({ found }) => !found);
  const known = lines.filter(([, value]) => value !== undefined);
  const text = rows(known);
  return absent.length === 0
    ? text
    : `${text}\nAbsent, and why\n${rows(absent.map(({ subject, detail }) => [subject, detail]))}`;
}

function railText({ powerWatts, busVolts, currentAmperes, saturated, absent }: NonNullable<Report['rails']>[number]) {
  if (saturated) return 'at full scale: no value';
  if (absent !== undefined) return `no value: ${absent}`;
  const volts = busVolts === undefined ? undefined : `${busVolts.toFixed(2)} V`;
  const amperes = currentAmperes === undefined ? undefined : `${currentAmperes.toFixed(3)} A`;
  return [watts(powerWatts), volts, amperes].filter(Boolean).join(', ');
}

function rows(lines: Line[]): string {
  const columns = [
    { name: 'name', text: ([name]: Line) => name },
    { name: 'value', text: ([, value]: Line) => value },
  ];
  return table(lines, columns, { headers: false });
}
