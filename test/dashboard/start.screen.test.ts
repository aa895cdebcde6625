import { type Test, test } from 'tap';
import { systemClock } from '../../lib/clock.ts';
import { browserForTest } from '../helpers/chromium.ts';
import { type Running, startEricht } from '../helpers/run-ericht.ts';
import { tempDir, until } from '../helpers/stack.ts';

/** A newcomer's screen is painted within this from the start of the process. */
const PAINTED_LIMIT_MS = 5000;

async function openStarted(t: Test, args: string[]) {
  const browser = await browserForTest(t);
  const page = await browser.newPage({ viewport: { width: 1920, height: 1080 } });
  const folder = await tempDir(t);
  const startedMs = systemClock.monotonicMs();
  const running = startEricht(t, ['start', '--port', '0', '--data-dir', `${folder}/data`, ...args], { folder });
  const url = await until('the address is told', () => addressOf(running));
  await page.goto(url);
  return { page, running, url, elapsedMs: () => Math.round(systemClock.monotonicMs() - startedMs) };
}

function addressOf(running: Running): string | undefined {
  return /http:\/\/127\.0\.0\.1:\d+/.exec(running.stdout() + running.stderr())?.[0];
}

test('one machine: painted with its own values in under 5 s from the start of the process', async (t) => {
  const { page, elapsedMs } = await openStarted(t, []);
  await page.locator('[data-panel="memory"] .row-value').first().waitFor();
  await page.locator('.sentence', { hasText: ' is live.' }).waitFor();
  const paintedMs = elapsedMs();
  t.comment(`painted after ${paintedMs} ms`);
  t.ok(paintedMs < PAINTED_LIMIT_MS, `${paintedMs} ms`);
  t.equal(await page.locator('.simulated').count(), 0);
});

test('eight simulated boards: a clean stop is told as such, and not as silence', async (t) => {
  const { page, running, elapsedMs } = await openStarted(t, ['--simulate', '8']);
  await page.locator('.sentence', { hasText: '8 of 8 live.' }).waitFor();
  t.comment(`painted after ${elapsedMs()} ms`);
  t.equal(await page.locator('.tile .number', { hasText: /^\d+\.\d$/ }).count(), 8);
  t.equal(await page.locator('.simulated').count(), 1);
  running.process.kill('SIGINT');
  t.equal((await running.ended).code, 0);
  await page.locator('.sentence', { hasText: 'No answer from the dashboard' }).waitFor();
  t.equal(await page.locator('[data-state="silent"].tile').count(), 0);
});
