import type { Rail, Report } from './report.ts';

export interface PowerTotal {
  /** Undefined when nothing is measured: never 0 for "unknown". */
  powerWatts: number | undefined;
  /** What the total is made of, for the words beside it. */
  basis: 'inlet' | 'boards' | 'none';
  /** Nodes with at least one measured rail, of all nodes given. */
  measuredNodes: number;
  nodes: number;
}

/** The total is the inlet where it is measured, else the sum of all other rails. */
export function totalPower(reports: Iterable<Pick<Report, 'rails'>>): PowerTotal {
  let inletWatts: number | undefined;
  let boardWatts: number | undefined;
  let measuredNodes = 0;
  let nodes = 0;
  for (const report of reports) {
    nodes += 1;
    const measured = (report.rails ?? []).filter((rail) => rail.powerWatts !== undefined);
    if (measured.length > 0) measuredNodes += 1;
    for (const rail of measured) {
      const watts = rail.powerWatts ?? 0;
      if (rail.measures === 'inlet') inletWatts = (inletWatts ?? 0) + watts;
      else boardWatts = (boardWatts ?? 0) + watts;
    }
  }
  if (inletWatts !== undefined) return { powerWatts: inletWatts, basis: 'inlet', measuredNodes, nodes };
  return { powerWatts: boardWatts, basis: boardWatts === undefined ? 'none' : 'boards', measuredNodes, nodes };
}

/** What one node draws: the sum of its rails that are not an inlet. */
export function nodePower(rails: Rail[] | undefined): number | undefined {
  let sum: number | undefined;
  for (const rail of rails ?? []) {
    if (rail.measures !== 'inlet' && rail.powerWatts !== undefined) sum = (sum ?? 0) + rail.powerWatts;
  }
  return sum;
}
