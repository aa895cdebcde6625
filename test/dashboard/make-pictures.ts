import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { Dashboard } from '../../dashboard/server/dashboard.ts';
import { type Clock, sleep, systemClock } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import { browserForTest } from '../helpers/chromium.ts';
import { boardReport, factsOf, HandFedSource, laptopReport } from './demo-cluster.ts';
import { LatestOnlyReader } from './latest-only-reader.ts';

/** Draws docs/images/*.png from the real server and page: `npm run pictures`. The boards are simulated and say so. */

const BOARDS = ['pi-01', 'pi-02', 'pi-03', 'pi-04', 'opi-01', 'opi-02', 'opi-03', 'opi-04'];
const FOLDER = fileURLToPath(new URL('../../docs/images/', import.meta.url));
const SECONDS_BEFORE = 400;

/** Time that can run faster, so that a picture shows minutes without anybody waiting for them. */
class HurryingClock implements Clock {
  #factor = 1;
  #sinceMs = systemClock.monotonicMs();
  #atMs = this.#sinceMs;

  set factor(factor: number) {
    this.#atMs = this.monotonicMs();
    this.#sinceMs = systemClock.monotonicMs();
    this.#factor = factor;
  }

  now(): number {
    return Math.round(Date.UTC(2026, 8, 12, 12, 32) + this.monotonicMs());
  }

  monotonicMs(): number {
    return this.#atMs + (systemClock.monotonicMs() - this.#sinceMs) * this.#factor;
  }

  setTimer(callback: () => void, delayMs: number) {
    return systemClock.setTimer(callback, delayMs / this.#factor);
  }

  clear = systemClock.clear;
}

const undo: (() => unknown)[] = [];
const browser = await browserForTest({ teardown: (step) => undo.push(step) });

async function draw(name: string, size: { width: number; height: number }, nodeIds: string[], pulled?: string) {
  const clock = new HurryingClock();
  const live = new HandFedSource();
  live.transport = { transport: 'link', readable: true, since: 0, collectorLag: 0 };
  const dashboard = new Dashboard({
    live,
    reader: new LatestOnlyReader(),
    host: '127.0.0.1',
    port: 0,
    portIsExplicit: true,
    clock,
    log: silentLog,
    notices: () => [],
    delivery: () => ({ stored: nodeIds.length * (seq + 1) }),
  });
  let seq = 0;
  const feed = () => {
    for (const nodeId of nodeIds) {
      if (nodeId === pulled && seq > SECONDS_BEFORE + 10) continue;
      const make = nodeId === 'laptop' ? laptopReport : (at: number, now: number) => boardReport(nodeId, at, now);
      const report = make(seq, clock.now());
      if (seq === 0) live.facts(factsOf(report));
      live.report(report);
    }
    seq += 1;
  };
  let isDrawn = false;
  const feeding = async () => {
    for (; !isDrawn; await sleep(clock, 1000)) feed();
  };
  const reached = async (wanted: number) => {
    while (seq < wanted) await sleep(systemClock, 50);
  };
  await dashboard.start();
  clock.factor = 5;
  const fed = feeding();
  await reached(SECONDS_BEFORE);
  clock.factor = 1;
  const page: Page = await browser.newPage({ viewport: size, colorScheme: name.endsWith('light') ? 'light' : 'dark' });
  await page.goto(dashboard.address().url);
  await reached(SECONDS_BEFORE + 25);
  await sleep(clock, 400);
  await page.screenshot({ path: `${FOLDER}${name}.png` });
  isDrawn = true;
  await fed;
  await page.close();
  await dashboard.stop();
}

await mkdir(FOLDER, { recursive: true });
try {
  const size = { width: 1440, height: 810 };
  await Promise.all([
    draw('case-dark', size, BOARDS),
    draw('silent-light', size, BOARDS, 'pi-03'),
    draw('machine-light', size, ['laptop']),
  ]);
} finally {
  for (const step of undo) await step();
}
