import { arch, cpus, loadavg, release, totalmem } from 'node:os';
import { roundTo } from '../../lib/round.ts';
import { type Measured, median } from './measure.ts';
import type { Row } from './rows.ts';

/** Of one row in one round, with what arrived in Kafka; both undefined where nothing is sent there. */
export type Result = Measured & { readings: number | undefined; dockerReadings: number | undefined };

export interface Results {
  rows: Row[];
  /** In the order in which they were measured. */
  results: Result[];
  /** CPU seconds per minute of the engine that nobody asks, one per round. */
  nobody: number[];
}

const HEAD = [
  'agent',
  'CPU s/min',
  '% of a core',
  'dockerd + s/min',
  'both, % of a core',
  'RSS MB median',
  'RSS MB peak',
  'children/min',
  'disk KB/min',
  'wire B/s',
  'readings/min',
  'Docker readings/min',
];

/** One line per agent: the median of its rounds, and in brackets the lowest and highest where they differ. */
export function tableOf({ rows, results, nobody }: Results): string {
  const idle = median(nobody);
  const lines = rows.map((row) => {
    const own = results.filter((result) => result.row === row.name);
    const of = (value: (result: Result) => number | undefined, digits: number, what = '–') => {
      const values = own.map(value).filter((one) => one !== undefined);
      return values.length === 0 ? what : spread(values, digits);
    };
    const added = (result: Result) => result.engineCpuSeconds - idle;
    return [
      row.title,
      of(({ cpuSeconds }) => cpuSeconds, 2),
      of(({ cpuSeconds }) => cpuSeconds / 0.6, 2),
      of(added, 2),
      of((result) => (result.cpuSeconds + added(result)) / 0.6, 2),
      of(({ residentBytes }) => residentBytes / 1e6, 1),
      of(({ peakResidentBytes }) => peakResidentBytes / 1e6, 1),
      own.some(({ reaped }) => reaped)
        ? `${of(({ children }) => children, 1)} (some waited for)`
        : of(({ children }) => children, 1),
      of(({ writtenBytes }) => writtenBytes / 1000, 1),
      of(({ wireBytes }) => (row.output === 'none' ? undefined : wireBytes), 0),
      of(({ readings }) => readings, 0),
      of(({ dockerReadings }) => dockerReadings, 0),
    ];
  });
  return [HEAD, HEAD.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** On what it was measured. */
export function circumstances({ nobody }: Results, { seconds, rounds }: { seconds: number; rounds: number }): string {
  const [first] = cpus();
  const load = loadavg().map((one) => one.toFixed(1));
  return [
    `${cpus().length} × ${first?.model.trim()} (${arch()}), ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.version}.`,
    `${rounds} ${rounds === 1 ? 'round' : 'rounds'} of ${seconds} s for each agent, one after the other; load average ${load.join(' ')} at the end.`,
    `The Docker Engine with ten containers and nobody asking takes ${spread(nobody, 2)} s of CPU per minute; what is more is counted with the agent.`,
  ].join('\n');
}

function spread(values: number[], digits: number): string {
  const show = (value: number) =>
    roundTo(value, digits)
      .toFixed(digits)
      .replace(/^-(0(\.0+)?)$/, '$1');
  const [low, middle, high] = [Math.min(...values), median(values), Math.max(...values)].map(show);
  return low === high ? middle! : `${middle} (${low}–${high})`;
}
