import type { Finding } from '../../agent/sampler.ts';
import { formatBytes } from '../../lib/bytes.ts';
import type { Report } from '../../telemetry/report.ts';
import { table } from './table.ts';
import { celsius, count, percent, watts } from './units.ts';

type Line = [name: string, value: string | undefined];

/** One report for a person: what was read, then what is absent and why. */
export function reportTable(report: Report, findings: Finding[]): string {
  const { cpu, load, memory, temperature, throttling, storage, network, docker } = report;
  const lines: Line[] = [
    ['node', `${report.nodeId} (cluster ${report.clusterId})`],
    ['sampled at', new Date(report.timestamp).toLocaleString()],
    ['clock', report.clockSynchronised ? 'set' : 'not set'],
    ['cpu', percent(cpu?.usageRatio)],
    ['load', load && [load.oneMinute, load.fiveMinutes, load.fifteenMinutes].join(' ')],
    ['memory', memory && `${formatBytes(memory.availableBytes)} of ${formatBytes(memory.totalBytes)} available`],
    ['temperature', celsius(temperature?.temperatureCelsius)],
    ['throttling', throttling && throttlingText(throttling, findings)],
    ...(storage?.mounts ?? []).map(({ path, availableBytes, totalBytes }): Line => {
      return [`storage ${path}`, `${formatBytes(availableBytes)} of ${formatBytes(totalBytes)} free`];
    }),
    ...(storage?.devices ?? []).map((device): Line => [`disk ${device.name}`, diskText(device)]),
    ...(network?.interfaces ?? []).map(({ name, receivedBytes, sentBytes, wifi }): Line => {
      const signal = wifi?.signalDecibelMilliwatts;
      const traffic = `${formatBytes(receivedBytes)} received, ${formatBytes(sentBytes)} sent`;
      return [`network ${name}`, signal === undefined ? traffic : `${traffic}, Wi-Fi at ${signal} dBm`];
    }),
    ['docker', docker && dockerText(docker)],
    ...(report.rails ?? []).map((rail): Line => [`rail ${rail.label}`, railText(rail)]),
  ];
  const absent = findings.filter(({ found }) => !found);
  const known = lines.filter(([, value]) => value !== undefined);
  const text = rows(known);
  return absent.length === 0
    ? text
    : `${text}\nAbsent, and why\n${rows(absent.map(({ subject, detail }) => [subject, detail]))}`;
}

const FLAG_WORDS = {
  underVoltage: 'under-voltage',
  frequencyCapped: 'frequency capped',
  throttled: 'throttled',
  softTemperatureLimit: 'soft temperature limit',
};

/** What was not read is not "none": then the finding says why. */
function throttlingText(throttling: NonNullable<Report['throttling']>, findings: Finding[]): string {
  const flags = Object.entries(FLAG_WORDS) as [keyof typeof FLAG_WORDS, string][];
  const now = flags.filter(([flag]) => throttling[flag]).map(([, words]) => words);
  const earlier = flags.filter(([flag]) => !throttling[flag] && throttling.occurred?.includes(flag));
  const detail = findings.find(({ subject }) => subject === 'throttling')?.detail;
  const why = detail && /no flags of the firmware.*/.exec(detail)?.[0];
  return [
    now.length > 0 ? now.join(', ') : 'none now',
    ...(earlier.length > 0 ? [`earlier: ${earlier.map(([, words]) => words).join(', ')}`] : []),
    ...(throttling.firmwareSampledAt === undefined && why ? [why] : []),
  ].join('; ');
}

type Disk = NonNullable<NonNullable<Report['storage']>['devices']>[number];

function diskText({ model, lifeUsedRatio, preEndOfLife, writtenBytes }: Disk): string {
  const life = lifeUsedRatio === undefined ? undefined : `up to ${percent(lifeUsedRatio)} of its rated life used`;
  const spare = preEndOfLife === undefined || preEndOfLife === 'normal' ? undefined : `spare blocks: ${preEndOfLife}`;
  const written = writtenBytes === undefined ? undefined : `${formatBytes(writtenBytes)} written since the start`;
  return [model, life, spare, written].filter(Boolean).join(', ') || 'nothing told';
}

function dockerText({ engine, runningContainers }: NonNullable<Report['docker']>): string {
  return engine === 'stopped' ? 'the engine does not answer' : `${count(runningContainers)} containers run`;
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
