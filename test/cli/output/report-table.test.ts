import { test } from 'tap';
import { reportTable } from '../../../cli/output/report-table.ts';
import { type Report, reportSchema } from '../../../telemetry/report.ts';

const report = (more: Partial<Report>): Report => ({
  ...reportSchema.parse({
    schemaVersion: 1,
    clusterId: 'c',
    nodeId: 'pi-01',
    bootId: 'b',
    runId: 'r',
    timestamp: Date.UTC(2026, 0, 1),
    seq: 0,
    uptimeMs: 1000,
    clockSynchronised: true,
    drained: false,
    intervalMs: 1000,
    claim: { unacknowledged: [], dropped: [] },
  }),
  ...more,
});

const line = (table: string, name: string) => table.split('\n').find((one) => one.startsWith(name)) ?? '';

test('what the firmware does now and did earlier is told, and what was not read is not called "none"', async (t) => {
  const found = (detail: string) => [{ subject: 'throttling', found: true, detail }];
  const all = "under-voltage by rpi_volt; the firmware's flags by vcgencmd";
  const firmwareSampledAt = 5;
  const text = (throttling: NonNullable<Report['throttling']>, detail = all) =>
    line(reportTable(report({ throttling }), found(detail)), 'throttling').replace(/^throttling +/, '');
  t.equal(text({ underVoltage: false, throttled: false, occurred: [], firmwareSampledAt }), 'none now');
  t.equal(
    text({ underVoltage: true, throttled: true, occurred: ['underVoltage', 'frequencyCapped'], firmwareSampledAt }),
    'under-voltage, throttled; earlier: frequency capped',
  );
  t.equal(
    text({ underVoltage: false }, 'under-voltage by rpi_volt; no flags of the firmware: there is no /usr/bin/vcgencmd'),
    'none now; no flags of the firmware: there is no /usr/bin/vcgencmd',
  );
});

test('a disk tells its wear as far as it does, a Wi-Fi link its signal', async (t) => {
  const table = reportTable(
    report({
      storage: {
        mounts: [],
        devices: [
          { name: 'mmcblk0', model: 'A3A564', lifeUsedRatio: 0.9, preEndOfLife: 'warning', writtenBytes: 2 ** 30 },
          { name: 'mmcblk1', model: 'SD64G' },
          { name: 'sda' },
        ],
      },
      network: {
        interfaces: [
          { name: 'wlan0', receivedBytes: 1024, sentBytes: 0, wifi: { signalDecibelMilliwatts: -54 } },
          { name: 'eth0', receivedBytes: 0, sentBytes: 0 },
        ],
      },
    }),
    [],
  );
  t.match(
    line(table, 'disk mmcblk0'),
    /A3A564, up to 90 % of its rated life used, spare blocks: warning, 1.0 GiB written/,
  );
  t.match(line(table, 'disk mmcblk1'), /SD64G$/);
  t.match(line(table, 'disk sda'), /nothing told$/);
  t.match(line(table, 'network wlan0'), /1.0 KiB received, 0 B sent, Wi-Fi at -54 dBm$/);
  t.match(line(table, 'network eth0'), /0 B received, 0 B sent$/);
});
