import { test } from 'tap';
import { nodeDetails } from '../../dashboard/server/node-details.ts';
import { reportWarnings } from '../../telemetry/warnings.ts';
import { laptopReport } from './demo-cluster.ts';

const container = { id: 'c0ffee', name: 'postgres', state: 'running' };

test('containers that a report had no room for are among all there are', async (t) => {
  const docker = { runningContainers: 300, containers: [container], leftOutContainers: 340 };
  const { containers } = nodeDetails(laptopReport(1, 0, { docker }), undefined, []);
  t.match(containers, { running: 300, total: 341 });
});

test('of a stopped engine no number is shown, and its node wants attention', async (t) => {
  const report = laptopReport(1, 0, { docker: { engine: 'stopped' } });
  t.notOk('containers' in nodeDetails(report, undefined, []));
  t.same(reportWarnings(report), ['the Docker Engine does not answer']);
});
