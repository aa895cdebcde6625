import type { Report } from './report.ts';

export interface EnergyTotal {
  energyJoules: number;
  basis: 'inlet' | 'boards';
  /** Part of the agents' running time that the counters cover, 0 to 1. */
  coveredRatio: number;
}

/** The counters of one node's inlet rails, or of all its others; covered is the mean over its rails. */
export function railEnergy(
  report: Report,
  inlet: boolean,
): { energyJoules: number; coveredSeconds: number } | undefined {
  const rails = (report.rails ?? []).filter((rail) => (rail.measures === 'inlet') === inlet);
  const counting = rails.filter((rail) => rail.energyJoules !== undefined);
  if (counting.length === 0) return undefined;
  const sum = (pick: (rail: (typeof rails)[number]) => number) => counting.reduce((all, rail) => all + pick(rail), 0);
  return {
    energyJoules: sum((rail) => rail.energyJoules ?? 0),
    coveredSeconds: sum((rail) => rail.coveredSeconds ?? 0) / rails.length,
  };
}

/** The inlet's counters where there are any, else the sum of all boards; undefined where nothing counts. */
export function totalEnergy(reports: Report[]): EnergyTotal | undefined {
  const inlet = reports.some((report) => railEnergy(report, true));
  let energyJoules = 0;
  let coveredSeconds = 0;
  let runSeconds = 0;
  for (const report of reports) {
    const counter = railEnergy(report, inlet);
    // A node that measures nothing lowers the coverage of a sum of boards; of an inlet it is no part.
    if (!counter && inlet) continue;
    energyJoules += counter?.energyJoules ?? 0;
    coveredSeconds += counter?.coveredSeconds ?? 0;
    runSeconds += ((report.seq + 1) * report.intervalMs) / 1000;
  }
  if (!reports.some((report) => railEnergy(report, inlet))) return undefined;
  const coveredRatio = runSeconds > 0 ? Math.min(1, coveredSeconds / runSeconds) : 0;
  return { energyJoules, basis: inlet ? 'inlet' : 'boards', coveredRatio };
}
