import type { Locator, Page } from 'playwright-core';
import { type Test, test } from 'tap';
import type { Notice } from '../../dashboard/messages.ts';
import { Dashboard } from '../../dashboard/server/dashboard.ts';
import { systemClock } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import type { Report } from '../../telemetry/report.ts';
import { browserForTest } from '../helpers/chromium.ts';
import { until, within } from '../helpers/until.ts';
import { boardReport, factsOf, HandFedSource, laptopReport } from './demo-cluster.ts';
import { LatestOnlyReader } from './latest-only-reader.ts';
import { layoutProblems } from './layout-problems.ts';

const BOARDS = ['pi-01', 'pi-02', 'pi-03', 'pi-04', 'opi-01', 'opi-02', 'opi-03', 'opi-04'];
const SIZES = [
  { width: 1920, height: 1080 },
  { width: 800, height: 480 },
  { width: 390, height: 844 },
];

interface Case {
  live: HandFedSource;
  url: string;
  port: number;
  /** Nodes whose plug is pulled. */
  pulled: Set<string>;
  notices: Notice[];
  stop(): Promise<void>;
}

type MakeReport = (nodeId: string, seq: number, now: number) => Report;

/** A real server, fed once a second with the reports of some nodes. */
async function startCase(t: Test, nodeIds: string[], make: MakeReport = boardReport, port = 0): Promise<Case> {
  const live = new HandFedSource();
  const pulled = new Set<string>();
  const notices: Notice[] = [];
  const dashboard = new Dashboard({
    live,
    reader: new LatestOnlyReader(),
    host: '127.0.0.1',
    port,
    portIsExplicit: true,
    clock: systemClock,
    log: silentLog,
    notices: () => notices,
  });
  await dashboard.start();
  let seq = 0;
  const feed = () => {
    for (const nodeId of nodeIds) {
      const report = make(nodeId, seq, systemClock.now());
      if (seq === 0) live.facts(factsOf(report));
      if (!pulled.has(nodeId)) live.report(report);
    }
    seq += 1;
  };
  feed();
  const timer = setInterval(feed, 1000);
  const stop = async () => {
    clearInterval(timer);
    await dashboard.stop();
  };
  t.teardown(stop);
  return { live, url: dashboard.address().url, port: dashboard.address().port, pulled, notices, stop };
}

interface Watched {
  page: Page;
  /** What the browser complained of. */
  complaints: string[];
}

async function openPage(
  t: Test,
  url: string,
  size = SIZES[0]!,
  colorScheme: 'light' | 'dark' = 'dark',
): Promise<Watched> {
  const browser = await browserForTest(t);
  const page = await browser.newPage({ viewport: size, colorScheme });
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() !== 'info' && message.type() !== 'log') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== url) complaints.push(`asked ${request.url()}`);
  });
  await page.goto(url);
  return { page, complaints };
}

/** What a person sees, without what is hidden. */
const wordsOf = (locator: Locator) => locator.innerText();
const sentence = (page: Page) => wordsOf(page.locator('.sentence'));
/** Playwright waits for what is evaluated in a page without an end. */
function inTime<T>(evaluation: Promise<T>): Promise<T> {
  return within(30_000, evaluation, () => 'the page did not evaluate a script within 30 s');
}
const problemsOf = (page: Page, limits: { near: number; far: number }) => {
  return inTime(page.evaluate(layoutProblems, limits));
};
const heightOf = (page: Page) => inTime(page.evaluate<number>('document.documentElement.scrollHeight'));
const tile = (page: Page, nodeId: string) => page.locator(`[data-node="${nodeId}"]`);

test('eight boards are painted with values, without a complaint or a request to another host', async (t) => {
  const { url } = await startCase(t, BOARDS);
  const { page, complaints } = await openPage(t, url);
  for (const nodeId of BOARDS) {
    await until(`${nodeId} has watts`, async () => /\d\.\d\s*W/.test(await wordsOf(tile(page, nodeId))));
  }
  t.equal(await sentence(page), '8 of 8 live.');
  t.match(
    await wordsOf(page.locator('[data-total="power"]')),
    /\d+\.\d\s*W now\s+simulated boards; inlet not measured/,
  );
  t.match(await wordsOf(page.locator('header')), 'SIMULATED');
  t.notOk(await page.locator('[data-total="lost"]').count(), 'nobody counted, so no 0 is shown');
  const names = await page.locator('.tile h2').allInnerTexts();
  t.same(names, [...names].sort());
  t.same(complaints, []);
});

test('a silent board is named within 3 s of its last report, its watts step down, and it comes back', async (t) => {
  const { url, pulled } = await startCase(t, BOARDS);
  const { page } = await openPage(t, url);
  await until('all are live', async () => (await sentence(page)) === '8 of 8 live.');
  const before = Number.parseFloat(await wordsOf(page.locator('[data-total="power"] .number')));
  pulled.add('pi-03');
  const named = await until('pi-03 is named', async () => /^pi-03 silent, seen ([\d.]+) s/.exec(await sentence(page)));
  const ageSeconds = Number(named[1]);
  t.ok(ageSeconds < 3, `named ${ageSeconds} s after its last report`);
  const words = await wordsOf(tile(page, 'pi-03'));
  t.match(words, /SILENT/);
  t.match(words, /--\s*W\s*\(was \d\.\d\)/);
  t.match(words, /00:0\d/);
  await until('the total steps down', async () => {
    return Number.parseFloat(await wordsOf(page.locator('[data-total="power"] .number'))) < before - 2;
  });
  t.equal(await wordsOf(page.locator('[role="status"]')), 'pi-03 silent.', 'what is read aloud holds no running age');
  pulled.clear();
  await until('it is back', async () => (await sentence(page)) === '8 of 8 live.');
  t.match(await wordsOf(tile(page, 'pi-03')), 'live');
});

test('without the server everything looks old, and after its restart values move again', async (t) => {
  const first = await startCase(t, BOARDS);
  const { page } = await openPage(t, first.url);
  await until('all are live', async () => (await sentence(page)) === '8 of 8 live.');
  await first.stop();
  await until('the page says so', async () => (await sentence(page)).startsWith('No answer from the dashboard for '));
  t.equal(await page.locator('.tile[data-stale="true"]').count(), 8);
  t.equal(await wordsOf(page.locator('[data-total="power"] .number')), '--');
  t.match(await wordsOf(page.locator('header')), /CUT for \d/);
  await startCase(t, BOARDS, boardReport, first.port);
  await until('values move again', async () => (await sentence(page)) === '8 of 8 live.');
  t.equal(await page.locator('.tile[data-stale="true"]').count(), 0);
});

test('a machine without a power source gets a whole page of its own, and three next steps', async (t) => {
  const { url, notices } = await startCase(t, ['laptop'], (_nodeId, seq, now) => laptopReport(seq, now));
  const { page, complaints } = await openPage(t, url, { width: 1440, height: 900 }, 'light');
  const panel = (name: string) => page.locator(`[data-panel="${name}"]`);
  await panel('no-power').waitFor();
  const words = await wordsOf(panel('no-power'));
  t.match(words, 'No INA226 in hwmon or on an I2C bus');
  t.match(words, 'npm start -- --simulate 8');
  t.match(words, 'INA226 to its I²C bus');
  t.match(words, 'npm run stack');
  t.match(await wordsOf(page.locator('[data-total="cpu"]')), /\d+\s*% CPU/);
  t.match(await wordsOf(panel('memory')), /203 GiB free of 468 GiB/);
  t.match(await wordsOf(panel('containers')), 'postgres');
  await until('network rates are there', async () => /in \d.*KiB\/s/.test(await wordsOf(panel('network'))));
  t.notOk(await page.locator('.simulated').count());
  notices.push({ severity: 'critical', text: 'The disk is full: nothing new is stored.' });
  await page.getByText('The disk is full').waitFor();
  t.same(complaints, []);
});

test('a tile opens its node by keyboard, and the way back is there', async (t) => {
  const { url } = await startCase(t, BOARDS);
  const { page } = await openPage(t, url);
  await tile(page, 'opi-01').waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.locator('[data-panel="rails"]').waitFor();
  t.match(await wordsOf(page.locator('[data-panel="board"]')), 'opi-01');
  await page.getByRole('link', { name: 'all boards' }).click();
  await until('the case is back', async () => (await page.locator('.tile').count()) === 8);
});

for (const colorScheme of ['dark', 'light'] as const) {
  test(`nothing overflows, overlaps or is too small at three sizes, ${colorScheme}`, async (t) => {
    const boards = await startCase(t, BOARDS);
    const laptop = await startCase(t, ['laptop'], (_nodeId, seq, now) => laptopReport(seq, now));
    boards.pulled.add('pi-03');
    for (const { url } of [boards, laptop]) {
      const { page } = await openPage(t, url, SIZES[0], colorScheme);
      await page.locator('.tile[data-state="silent"], [data-panel="memory"]').first().waitFor();
      for (const size of SIZES) {
        await page.setViewportSize(size);
        const limits = size.width === 1920 ? { near: 20, far: 40 } : { near: 13.5, far: 16 };
        t.same(await problemsOf(page, limits), []);
      }
    }
  });
}

test('eight boards fit on a screen in a case without scrolling', async (t) => {
  const { url } = await startCase(t, BOARDS);
  const { page } = await openPage(t, url);
  await tile(page, 'pi-01').waitFor();
  for (const size of [SIZES[0]!, SIZES[1]!, { width: 1366, height: 768 }, { width: 3840, height: 2160 }]) {
    await page.setViewportSize(size);
    const height = await heightOf(page);
    t.ok(height <= size.height, `${height} of ${size.height} at ${size.width}`);
  }
});

test('twelve boards shrink to a third row, still readable from three metres and without scrolling', async (t) => {
  const nodeIds = Array.from({ length: 12 }, (_, index) => `pi-${String(index + 1).padStart(2, '0')}`);
  const { url, pulled } = await startCase(t, nodeIds);
  pulled.add('pi-07');
  const { page } = await openPage(t, url);
  await page.locator('.tile[data-state="silent"]').waitFor();
  t.same(await problemsOf(page, { near: 20, far: 40 }), []);
  t.ok((await heightOf(page)) <= 1080);
});
