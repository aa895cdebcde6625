import { test } from 'tap';
import { clusterStatus } from '../../telemetry/cluster-status.ts';
import { type Report, reportSchema } from '../../telemetry/report.ts';
import { reportWarnings } from '../../telemetry/warnings.ts';

const NOW = Date.UTC(2026, 0, 1);

const report = (more: Partial<Report>): Report => ({
  ...reportSchema.parse({
    schemaVersion: 1,
    clusterId: 'c',
    nodeId: 'pi-01',
    bootId: 'b',
    runId: 'r',
    timestamp: NOW,
    seq: 1,
    uptimeMs: 1000,
    clockSynchronised: true,
    drained: false,
    intervalMs: 1000,
    claim: { unacknowledged: [], dropped: [] },
  }),
  ...more,
});

const device = (name: string, lifeUsedRatio?: number, preEndOfLife?: string) => ({
  name,
  ...(lifeUsedRatio === undefined ? {} : { lifeUsedRatio }),
  ...(preEndOfLife === undefined ? {} : { preEndOfLife }),
});
const worn = (...devices: ReturnType<typeof device>[]) => reportWarnings(report({ storage: { mounts: [], devices } }));

test('what the firmware does to a board is told, a weak supply first', async (t) => {
  const all = { underVoltage: true, frequencyCapped: true, throttled: true, softTemperatureLimit: true };
  t.same(reportWarnings(report({ throttling: all })), [
    'under-voltage: the supply is too weak',
    'processor throttled by the firmware',
    'processor frequency capped by the firmware',
    'processor at its soft temperature limit',
  ]);
  t.same(reportWarnings(report({ throttling: { underVoltage: false, occurred: ['underVoltage'] } })), [], 'it is over');
  t.same(reportWarnings(report({ throttling: {} })), [], 'what was not read is no warning');
});

test('wear is told from 80 %, and what calls for a replacement at the end of the rated life', async (t) => {
  t.same(worn(device('mmcblk0', 0.7, 'normal'), device('sda')), []);
  t.same(worn(device('mmcblk0', 0.8)), ['mmcblk0 has used 80 % of its rated life']);
  t.same(worn(device('mmcblk0', 0.9)), ['mmcblk0 has used 90 % of its rated life']);
  t.same(worn(device('mmcblk0', 1)), ['mmcblk0 has reached its rated life: replace it']);
  t.same(worn(device('mmcblk0', 1.1)), ['mmcblk0 has reached its rated life: replace it']);
  t.same(worn(device('mmcblk0', 0.3, 'warning')), ['mmcblk0 has few spare blocks left']);
  t.same(worn(device('mmcblk0', 0.8, 'urgent')), [
    'mmcblk0 has almost no spare blocks left: replace it',
    'mmcblk0 has used 80 % of its rated life',
  ]);
});

test('the most urgent of all comes first, and reaches the state of the node', async (t) => {
  const bad = report({
    throttling: { underVoltage: true },
    temperature: { temperatureCelsius: 91 },
    storage: { mounts: [], devices: [device('mmcblk0', 0.9)] },
    self: {
      cpuSeconds: 1,
      residentBytes: 1,
      samplers: { docker: { durationMs: 1, failures: 1, problem: 'no answer' } },
    },
  });
  const warnings = [
    'under-voltage: the supply is too weak',
    'processor at 91 °C',
    'mmcblk0 has used 90 % of its rated life',
    "docker can't be read: no answer",
  ];
  t.same(reportWarnings(bad), warnings);
  const pipeline = { kind: 'link', readable: true, since: NOW } as never;
  const { nodes } = clusterStatus({
    clusterId: 'c',
    reports: [{ report: bad, appendedAt: NOW }],
    facts: [],
    pipeline,
    now: NOW,
  });
  t.match(nodes, [{ nodeId: 'pi-01', state: 'warning', warnings }]);
});
