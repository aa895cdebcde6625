import { randomUUID } from 'node:crypto';
import type { PlacedReport } from '../../../collector/record.ts';
import type { Report } from '../../../telemetry/report.ts';

/** A small seeded generator (mulberry32), so that a failing property test can be run again. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A report as a Pi 4 with two rails and ten containers sends it; every tenth carries the slow lists afresh. */
export function goldenReport(seq: number, timestamp: number, more: Partial<Report> = {}): Report {
  const fresh = seq % 10 === 0 ? {} : { sampledAt: timestamp - (seq % 10) * 1000 };
  return {
    schemaVersion: 1,
    clusterId: 'suitcase-1',
    nodeId: 'pi-01',
    bootId: '6f1c1b6e-58a3-4a0c-9a52-0d8f4b7b1f10',
    runId: '0b9c9a4e-2f0c-4c34-8a5e-6a3d2f0c1d11',
    timestamp,
    seq,
    uptimeMs: 100_000 + seq * 1000,
    clockSynchronised: true,
    drained: false,
    intervalMs: 1000,
    claim: { unacknowledged: [], dropped: [] },
    cpu: { usageRatio: 0.1234, coreUsageRatios: [0.21, 0.08, 0.1, 0.1036], frequencyHertz: 1_800_000_000 },
    load: { oneMinute: 0.42, fiveMinutes: 0.38, fifteenMinutes: 0.31 },
    memory: { totalBytes: 8_189_935_616, availableBytes: 6_120_550_400, swapTotalBytes: 0, swapFreeBytes: 0 },
    temperature: { temperatureCelsius: 48.2, zones: [{ name: 'cpu-thermal', temperatureCelsius: 48.2 }] },
    throttling: {
      ...fresh,
      underVoltage: false,
      frequencyCapped: false,
      throttled: false,
      softTemperatureLimit: false,
      occurred: [],
      firmwareSampledAt: timestamp - (seq % 30) * 1000,
    },
    rails: [rail('board', 5.0875, 4.1325 + (seq % 7) / 10), rail('switch', 12.02, 4.2069)],
    storage: {
      ...fresh,
      mounts: [{ path: '/', device: '/dev/mmcblk0p2', totalBytes: 31_068_954_624, availableBytes: 24_696_061_952 }],
      devices: [{ name: 'mmcblk0', model: 'SD64G', writtenBytes: 1_073_741_824 }],
    },
    network: {
      ...fresh,
      interfaces: [{ name: 'eth0', up: true, receivedBytes: 912_334_551, sentBytes: 1_230_044_811 }],
    },
    docker: { ...fresh, version: '28.1.1', swarmRole: 'worker', runningContainers: 10, containers: containers(10) },
    self: {
      ...fresh,
      cpuSeconds: 12.5,
      residentBytes: 61_000_000,
      samplers: { cpu: { durationMs: 0.4, failures: 0 } },
    },
    ...more,
  };
}

function rail(label: string, busVolts: number, powerWatts: number) {
  const measures = label === 'switch' ? ('switch' as const) : ('board' as const);
  const counted = { energyJoules: 19_468.4, coveredSeconds: 4711.2 };
  return {
    label,
    measures,
    source: 'hwmon' as const,
    busVolts,
    currentAmperes: powerWatts / busVolts,
    powerWatts,
    ...counted,
  };
}

function containers(count: number) {
  return Array.from({ length: count }, (_, index) => ({
    id: `4f8a1c2b9d7e4f8a1c2b9d7e4f8a1c2b9d7e4f8a1c2b9d7e4f8a1c2b9d7e00${String(index).padStart(2, '0')}`,
    name: `service-${index}`,
    image: `registry.example/service-${index}:1.4.2`,
    state: 'running',
    restarts: 0,
    cpuUsageRatio: 0.012,
    memoryBytes: 52_428_800,
  }));
}

/** Placed where it says, appended 5 ms later at offset `seq`. */
export function placed(report: Report, more: Partial<PlacedReport> = {}): PlacedReport {
  return { report, placedAt: report.timestamp, appendedAt: report.timestamp + 5, offset: String(report.seq), ...more };
}

export interface Series {
  clusterId: string;
  nodeId?: string;
  runId?: string;
  count: number;
  fromMs: number;
  stepMs?: number;
}

/** `count` reports of one run, in order. */
export function series({ clusterId, nodeId = 'pi-01', runId = randomUUID(), count, fromMs, stepMs = 1000 }: Series) {
  return Array.from({ length: count }, (_, seq) =>
    placed(goldenReport(seq, fromMs + seq * stepMs, { clusterId, nodeId, runId })),
  );
}

/** What a store gives back of a report: all but the sections that only repeat an earlier reading. */
export function asStored(report: Report): Report {
  const kept = structuredClone(report);
  for (const name of ['storage', 'network', 'docker', 'throttling', 'self'] as const) {
    if (kept[name]?.sampledAt !== undefined) delete kept[name];
  }
  return kept;
}

/** A row that no store can take: its run has a name longer than any key may be. */
export function refusable(report: Report): PlacedReport {
  return placed({ ...report, runId: 'r'.repeat(70_000) });
}
