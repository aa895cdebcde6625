import type { Report } from './report.ts';

/** Raspberry Pi boards slow themselves down from 80 to 85 °C; other processors do so later, so the upper end counts. */
const HOT_CELSIUS = 85;
const LEAST_FREE_RATIO = 0.05;
/** Read-only images (snaps, firmware) are full by design; they are small. */
const SMALL_MOUNT_BYTES = 2e9;

/** From here on a device's wear is told. */
const WORN_RATIO = 0.8;

/** What in a report wants a person's attention, one short sentence each, most urgent first. */
export function reportWarnings(report: Report): string[] {
  return [
    ...supplyWarnings(report),
    ...railWarnings(report),
    ...resourceWarnings(report),
    ...wearWarnings(report),
    ...agentWarnings(report),
  ];
}

/** A board whose supply is too weak fails next: files break, radios and disks drop out. */
function supplyWarnings({ throttling }: Report): string[] {
  const warnings: string[] = [];
  if (throttling?.underVoltage) warnings.push('under-voltage: the supply is too weak');
  if (throttling?.throttled) warnings.push('processor throttled by the firmware');
  if (throttling?.frequencyCapped) warnings.push('processor frequency capped by the firmware');
  if (throttling?.softTemperatureLimit) warnings.push('processor at its soft temperature limit');
  return warnings;
}

/** What will fail in months stands behind what is wrong now. */
function wearWarnings({ storage }: Report): string[] {
  const warnings: string[] = [];
  for (const { name, lifeUsedRatio = 0, preEndOfLife } of storage?.devices ?? []) {
    if (preEndOfLife === 'urgent') warnings.push(`${name} has almost no spare blocks left: replace it`);
    if (lifeUsedRatio >= 1) warnings.push(`${name} has reached its rated life: replace it`);
    else if (lifeUsedRatio >= WORN_RATIO)
      warnings.push(`${name} has used ${Math.round(lifeUsedRatio * 100)} % of its rated life`);
    if (preEndOfLife === 'warning') warnings.push(`${name} has few spare blocks left`);
  }
  return warnings;
}

function railWarnings(report: Report): string[] {
  const warnings: string[] = [];
  for (const rail of report.rails ?? []) {
    if (rail.saturated) warnings.push(`rail ${rail.label} is at full scale, so it has no value`);
    // A battery on mains has nothing to say, and that is no fault.
    else if (rail.absent && rail.source !== 'battery') warnings.push(`rail ${rail.label} has no value: ${rail.absent}`);
  }
  return warnings;
}

function resourceWarnings(report: Report): string[] {
  const warnings: string[] = [];
  const celsius = report.temperature?.temperatureCelsius;
  if (celsius !== undefined && celsius >= HOT_CELSIUS) warnings.push(`processor at ${Math.round(celsius)} °C`);
  const { memory } = report;
  if (memory && memory.totalBytes > 0 && memory.availableBytes / memory.totalBytes < LEAST_FREE_RATIO) {
    warnings.push(`memory ${usedPercent(memory.availableBytes, memory.totalBytes)} % used`);
  }
  for (const mount of report.storage?.mounts ?? []) {
    const large = mount.totalBytes > SMALL_MOUNT_BYTES;
    if (large && mount.availableBytes / mount.totalBytes < LEAST_FREE_RATIO) {
      warnings.push(`${mount.path} ${usedPercent(mount.availableBytes, mount.totalBytes)} % full`);
    }
  }
  if (report.docker?.engine === 'stopped') warnings.push('the Docker Engine does not answer');
  return warnings;
}

function agentWarnings(report: Report): string[] {
  const warnings: string[] = [];
  if (report.spool?.problem) warnings.push(`nothing can be spooled: ${report.spool.problem}`);
  for (const [name, sampler] of Object.entries(report.self?.samplers ?? {})) {
    if (sampler.problem) warnings.push(`${name} can't be read: ${sampler.problem}`);
  }
  return warnings;
}

/** Rounded down, so that "100 %" means nothing left. */
function usedPercent(availableBytes: number, totalBytes: number): number {
  return Math.floor((1 - availableBytes / totalBytes) * 100);
}
