import { type Browser, chromium } from 'playwright-core';
import { findProgram } from './debian-package.ts';
import type { Teardown } from './temp.ts';
import { within } from './until.ts';

const CLOSE_LIMIT_MS = 20_000;

/**
 * Chromium would otherwise look up its makers' hosts at every start, which a machine without internet refuses one by
 * one. Root has no sandbox of Chromium's.
 */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A headless browser of its own for this test; ends with it. */
export async function browserForTest(t: Teardown): Promise<Browser> {
  const executablePath = process.env.ERICHT_TEST_CHROMIUM ?? (await findProgram('chromium', 'google-chrome'));
  if (!executablePath) throw new Error('no Chromium: run this through "npm run test:screen", which sets it up');
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  const late = () => `Chromium did not close within ${CLOSE_LIMIT_MS} ms`;
  t.teardown(() => within(CLOSE_LIMIT_MS, browser.close(), late));
  return browser;
}
