import { test } from 'tap';
import { railEnergy, totalEnergy } from '../../telemetry/energy.ts';
import type { Rail } from '../../telemetry/report.ts';
import { boardReport } from '../dashboard/demo-cluster.ts';

const rail = (label: string, measures: Rail['measures'], energyJoules?: number, coveredSeconds?: number): Rail => ({
  label,
  measures,
  source: 'i2c',
  ...(energyJoules === undefined ? {} : { energyJoules }),
  ...(coveredSeconds === undefined ? {} : { coveredSeconds }),
});

const after100Seconds = (nodeId: string, rails: Rail[]) => boardReport(nodeId, 99, 0, { rails });

test('where the inlet counts, boards are not added to it', async (t) => {
  const reports = [
    after100Seconds('pi-01', [rail('board', 'board', 400, 100)]),
    after100Seconds('pi-02', [rail('in', 'inlet', 2000, 80), rail('board', 'board', 500, 100)]),
  ];
  t.same(totalEnergy(reports), { energyJoules: 2000, basis: 'inlet', coveredRatio: 0.8 });
});

test('a rail that does not count lowers the coverage of its node', async (t) => {
  const report = after100Seconds('pi-01', [rail('board', 'board', 400, 100), rail('disk', 'board')]);
  t.same(railEnergy(report, false), { energyJoules: 400, coveredSeconds: 50 });
});

test('without a counter there is no energy, not 0', async (t) => {
  t.equal(totalEnergy([after100Seconds('pi-01', [])]), undefined);
});

test('coverage is never more than everything', async (t) => {
  const energy = totalEnergy([after100Seconds('pi-01', [rail('board', 'board', 1, 130)])]);
  t.equal(energy?.coveredRatio, 1);
});
