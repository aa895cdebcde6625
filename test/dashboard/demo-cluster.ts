import type { LiveHandlers, LiveSource, TransportStatus } from '../../dashboard/server/live-source.ts';
import type { Facts } from '../../telemetry/facts.ts';
import type { Report } from '../../telemetry/report.ts';
import { SCHEMA_VERSION } from '../../telemetry/report.ts';

const GIB = 1024 ** 3;

/** A live source whose reports a test hands over itself. */
export class HandFedSource implements LiveSource {
  transport: TransportStatus = { transport: 'link', readable: true, since: 0 };
  handlers: LiveHandlers | undefined;

  async start(handlers: LiveHandlers): Promise<void> {
    this.handlers = handlers;
  }

  async stop(): Promise<void> {
    this.handlers = undefined;
  }

  pipeline(): TransportStatus {
    return this.transport;
  }

  report(report: Report, appendedAt = report.timestamp): void {
    this.handlers?.report({ report, appendedAt });
  }

  facts(facts: Facts, appendedAt = facts.timestamp): void {
    this.handlers?.facts(facts, appendedAt);
  }
}

/** A simulated board's report number `seq`, with values that move a little and are the same in every run. */
export function boardReport(nodeId: string, seq: number, timestamp: number, overrides: Partial<Report> = {}): Report {
  const number = [...nodeId].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % 8;
  const wave = Math.sin(seq / 9 + number) * 0.5 + Math.sin(seq / 2.3 + number * 2) * 0.2;
  const usageRatio = Math.min(1, Math.max(0.02, 0.16 + number * 0.03 + wave * 0.12));
  const powerWatts = 3.1 + number * 0.12 + usageRatio * 2.6;
  return {
    schemaVersion: SCHEMA_VERSION,
    clusterId: 'suitcase-1',
    nodeId,
    bootId: `boot-${nodeId}`,
    runId: `run-${nodeId}`,
    seq,
    timestamp,
    uptimeMs: 5_400_000 + seq * 1000,
    clockSynchronised: true,
    drained: false,
    intervalMs: 1000,
    simulated: true,
    claim: { unacknowledged: [], dropped: [] },
    cpu: {
      usageRatio,
      coreUsageRatios: [usageRatio, usageRatio / 2, usageRatio * 1.4, usageRatio * 0.8].map((part) =>
        Math.min(1, part),
      ),
    },
    load: { oneMinute: usageRatio * 4, fiveMinutes: 0.7, fifteenMinutes: 0.62 },
    memory: { totalBytes: 8 * GIB, availableBytes: Math.round((5.2 - number * 0.2) * GIB) },
    temperature: { temperatureCelsius: 44 + number + usageRatio * 9 },
    rails: [
      {
        label: 'board',
        measures: 'board',
        source: 'simulated',
        busVolts: 5.08 - usageRatio * 0.05,
        currentAmperes: powerWatts / 5.06,
        powerWatts,
        energyJoules: powerWatts * (seq + 1),
        coveredSeconds: (seq + 1) * 0.99,
      },
    ],
    ...overrides,
  };
}

/** A newcomer's laptop: one real machine, with an engine and without a power source. */
export function laptopReport(seq: number, timestamp: number, overrides: Partial<Report> = {}): Report {
  const { simulated: _simulated, rails: _rails, ...board } = boardReport('laptop', seq, timestamp);
  return {
    ...board,
    clusterId: 'ericht',
    storage: { mounts: [{ path: '/', device: '/dev/nvme0n1p2', totalBytes: 468 * GIB, availableBytes: 203 * GIB }] },
    network: {
      interfaces: [
        { name: 'wlp2s0', up: true, receivedBytes: 91_000_000 + seq * 41_000, sentBytes: 12_000_000 + seq * 6200 },
        { name: 'enp0s31f6', up: false, receivedBytes: 0, sentBytes: 0 },
      ],
    },
    docker: {
      version: '29.1.0',
      runningContainers: 3,
      containers: ['grafana', 'postgres', 'registry'].map((name, index) => ({
        id: `c0ffee${index}`,
        name,
        state: 'running',
        cpuUsageRatio: 0.03 * (index + 1),
        memoryBytes: (80 + index * 120) * 1024 ** 2,
      })),
    },
    ...overrides,
  };
}

export function factsOf(report: Report, overrides: Partial<Facts> = {}): Facts {
  const { schemaVersion, clusterId, nodeId, bootId, runId, timestamp, simulated, intervalMs } = report;
  return {
    schemaVersion,
    clusterId,
    nodeId,
    bootId,
    runId,
    timestamp,
    ...(simulated ? { simulated } : {}),
    intervalMs,
    model: simulated ? 'Raspberry Pi 4 Model B Rev 1.5' : 'ThinkPad X1 Carbon Gen 12',
    operatingSystem: 'Debian GNU/Linux 13 (trixie)',
    kernel: '6.12.48',
    architecture: 'x64',
    cores: 4,
    addresses: ['192.0.2.17'],
    findings: [
      {
        subject: 'rails',
        found: simulated === true,
        detail: simulated ? '1 simulated rail' : 'no INA226 in hwmon or on an I2C bus, and no battery that discharges',
      },
    ],
    ...overrides,
  };
}
