import { copyFileSync, cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type FactsPart, gatherFacts } from '../../agent/facts.ts';
import type { ReportPart } from '../../agent/sampler.ts';
import { boardSamplers } from '../../agent/samplers/board-samplers.ts';
import { Sampling } from '../../agent/sampling.ts';
import { silentLog } from '../../lib/log.ts';
import { ManualClock } from './manual-clock.ts';
import { until } from './until.ts';

export const BOARDS = join(import.meta.dirname, '../fixtures/boards');

export const RECORDED_BOARDS = readdirSync(BOARDS, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

/** What a board's record gives: facts, and what samplers put into a report. */
export interface Golden {
  facts: Omit<FactsPart, 'versions' | 'architecture'>;
  report: ReportPart;
}

const goldenFile = (board: string) => join(BOARDS, board, 'golden.json');

export function golden(board: string): Golden {
  return JSON.parse(readFileSync(goldenFile(board), 'utf8'));
}

export function writeGolden(board: string, content: Golden): void {
  writeFileSync(goldenFile(board), `${JSON.stringify(content, undefined, 2)}\n`);
}

/** Reads a copy of a record twice, a second apart, as an agent does; `folder` is empty. */
export async function readRecordedBoard(board: string, folder: string): Promise<Golden & { first: ReportPart }> {
  cpSync(join(BOARDS, board), folder, { recursive: true, verbatimSymlinks: true });
  const clock = new ManualClock();
  const roots = { procfs: join(folder, 'proc'), sysfs: join(folder, 'sys'), dev: join(folder, 'dev') };
  const samplers = boardSamplers({ ...roots, clock, intervalMs: 1000, rails: [] });
  const sampling = new Sampling({ samplers, intervalMs: 1000, clock, log: silentLog });
  // Files are read on threads, which the clock of the test knows nothing of.
  await sampling.start(Number.POSITIVE_INFINITY);
  await sampling.readAll();
  const first = sampling.parts();
  if (existsSync(join(folder, 'proc/net/wireless'))) {
    await until('the signal of the Wi-Fi is read beside the reports', async () => {
      await sampling.readAll();
      return sampling.parts().network?.interfaces.some(({ wifi }) => wifi);
    });
  }
  const later = join(folder, 'proc/stat-one-second-later');
  if (existsSync(later)) copyFileSync(later, join(folder, 'proc/stat'));
  await clock.advance(1000);
  await sampling.readAll();
  const {
    versions: _,
    architecture: __,
    ...facts
  } = await gatherFacts({
    ...roots,
    osReleaseFile: join(folder, 'etc/os-release'),
    intervalMs: 1000,
    samplers,
    versions: {},
    clock,
  });
  const report = sampling.parts();
  await sampling.stop();
  // Neither where the copy lies nor what is installed here is part of what it says.
  const text = JSON.stringify({ first, facts, report }).replaceAll(folder, '');
  return JSON.parse(text.replaceAll(/; i2c-bus isn't built[^"]*/g, ''));
}
