import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { systemClock as clock, sleep } from '../../lib/clock.ts';
import { costOf, engineCpuSeconds } from './process-cost.ts';
import type { Row, Surroundings } from './rows.ts';
import { Scraper } from './scrape.ts';
import { SentBytes } from './sent-bytes.ts';

/** Until the code is compiled by the engines, connections are up, and every slow sampler has been asked once. */
const WARM_UP_MS = 25_000;
const LOOK_EVERY_MS = 1000;
const STOP_WITHIN_MS = 10_000;

/** Of one row in one round. */
export interface Measured {
  row: string;
  seconds: number;
  /** CPU of the process and its children, and of the Docker Engine beside it, per minute. */
  cpuSeconds: number;
  engineCpuSeconds: number;
  residentBytes: number;
  peakResidentBytes: number;
  /** Programs started per minute, counted in a span of its own by strace; undefined where there is none. */
  children: number | undefined;
  /** Whether it waited for a child while its CPU was measured. */
  reaped: boolean;
  writtenBytes: number;
  /** Per second, in all requests. */
  wireBytes: number;
  /** Wall time of the measured span, epoch ms: what arrived in it can be counted afterwards. */
  from: number;
  to: number;
}

export interface MeasureOptions {
  row: Row;
  surroundings: Surroundings;
  engineFolder: string;
  measuredMs: number;
  childrenMs: number;
}

export async function measure(options: MeasureOptions): Promise<Measured> {
  const { row, surroundings, engineFolder, measuredMs, childrenMs } = options;
  await mkdir(surroundings.folder, { recursive: true });
  const { command, args, env } = await row.start(surroundings);
  const logFile = join(surroundings.folder, `${row.name}.log`);
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const log = createWriteStream(logFile);
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const gone = once(child, 'exit');
  const scraper = new Scraper(`http://127.0.0.1:${surroundings.port}/metrics`, clock);
  if (row.output === 'scraped') scraper.start();
  try {
    await sleep(clock, WARM_UP_MS);
    if (child.exitCode !== null || child.pid === undefined) throw new Error(`${row.name} has ended: see ${logFile}`);
    const { pid } = child;
    const sent = new SentBytes(pid, Number(surroundings.broker.split(':').at(-1)));
    const look = async () => ({
      own: await costOf(pid),
      engine: await engineCpuSeconds(engineFolder),
      wire: row.output === 'scraped' ? scraper.counts.bytes : await sent.total(),
      atMs: clock.monotonicMs(),
      at: clock.now(),
    });
    const before = await look();
    const resident: number[] = [];
    while (clock.monotonicMs() - before.atMs < measuredMs) {
      await sleep(clock, LOOK_EVERY_MS);
      resident.push((await costOf(pid)).residentBytes);
      if (row.output !== 'scraped') await sent.total();
    }
    const after = await look();
    const seconds = (after.atMs - before.atMs) / 1000;
    return {
      row: row.name,
      seconds,
      cpuSeconds: ((after.own.cpuSeconds - before.own.cpuSeconds) / seconds) * 60,
      engineCpuSeconds: ((after.engine - before.engine) / seconds) * 60,
      residentBytes: median(resident),
      peakResidentBytes: after.own.peakResidentBytes,
      reaped: after.own.childFaults > before.own.childFaults,
      writtenBytes: ((after.own.writtenBytes - before.own.writtenBytes) / seconds) * 60,
      wireBytes: (after.wire - before.wire) / seconds,
      children: childrenMs > 0 ? await childrenPerMinute(pid, childrenMs, `${logFile}.strace`) : undefined,
      from: before.at,
      to: after.at,
    };
  } finally {
    await scraper.stop();
    const late = clock.setTimer(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
    if (child.exitCode === null) child.kill('SIGTERM');
    await gone;
    clock.clear(late);
    log.end();
    await finished(log);
  }
}

/** CPU of the Docker Engine that nobody asks, per minute. */
export async function measureNobody(engineFolder: string, measuredMs: number): Promise<number> {
  const [before, atMs] = [await engineCpuSeconds(engineFolder), clock.monotonicMs()];
  await sleep(clock, measuredMs);
  return (((await engineCpuSeconds(engineFolder)) - before) / (clock.monotonicMs() - atMs)) * 60_000;
}

/** strace slows what it watches, so that this is a span of its own. */
async function childrenPerMinute(pid: number, spanMs: number, file: string): Promise<number> {
  const args = ['-f', '-qq', '-e', 'trace=execve', '-o', file, '-p', String(pid)];
  const strace = spawn('strace', args, { stdio: 'ignore' });
  await sleep(clock, spanMs);
  strace.kill('SIGINT');
  await once(strace, 'exit');
  const started = (await readFile(file, 'utf8')).split('\n').filter((line) => /execve\(.*= 0$/.test(line)).length;
  return (started / spanMs) * 60_000;
}

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
