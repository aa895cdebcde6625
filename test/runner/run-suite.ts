import { randomUUID } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { systemClock } from '../../lib/clock.ts';
import { type ChildOptions, runChild } from './child.ts';
import { holdsOf, Standing } from './standing.ts';
import type { Selection } from './suites.ts';
import { type Failure, type FileResult, readTap } from './tap-result.ts';

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

export interface SuiteResult {
  counts: Counts;
  /** In one line each: file, test, and the first thing that went wrong. */
  failures: string[];
}

export interface RunOptions extends Pick<ChildOptions, 'env' | 'cwd' | 'signal'> {
  print(line: string): void;
  /** Beside the files: programs that must end well, each counted as one test. */
  checks?: Check[];
}

export interface Check {
  name: string;
  command: string;
  args: string[];
}

/** Of a file's limit: tap names the test that outlives it and cleans up, and the runner only ends who can't. */
const TAP_SHARE = 0.9;
/** Asked so, Node writes down what holds its event loop: also when tap finds that a test, or the file, does not end. */
const ASK = { by: 'SIGUSR2', when: /^ *not ok \d+ - timeout!/m } as const;
const REPORTS = ['--report-on-signal', `--report-signal=${ASK.by}`, '--report-exclude-env', '--report-exclude-network'];

/** Runs the files of a suite, says how each did, and sums up. With CI=true nothing may be skipped or still to do. */
export async function runSuite({ suite, files }: Selection, options: RunOptions): Promise<SuiteResult> {
  const { print, checks = [] } = options;
  const startedAt = systemClock.monotonicMs();
  const total: Counts = { passed: 0, failed: 0, skipped: 0 };
  const failures: string[] = [];
  const expiry = new AbortController();
  const late = `the suite was not done within ${suite.limitMs / 1000} s`;
  const timer = systemClock.setTimer(() => expiry.abort(late), suite.limitMs);
  const signal = AbortSignal.any([options.signal, expiry.signal]);
  const env = { ...options.env, TAP_TIMEOUT: String((TAP_SHARE * suite.fileLimitMs) / 1000) };
  const work = [
    ...checks.map((check) => () => runCheck(check, { ...options, env, signal, limitMs: suite.fileLimitMs })),
    ...files.map((file) => () => runFile(file, { ...options, env, signal, limitMs: suite.fileLimitMs })),
  ];
  const lane = async () => {
    for (let next = work.shift(); next; next = work.shift()) {
      const { name, seconds, result } = await next();
      report(print, name, seconds, result);
      failures.push(...result.failures.map((failure) => inOneLine(name, failure)));
      total.passed += result.passed;
      total.failed += result.failed;
      total.skipped += result.skipped;
    }
  };
  await Promise.all(Array.from({ length: suite.jobs }, lane));
  systemClock.clear(timer);
  print(`${suite.name}: ${countsText(total)} in ${secondsSince(startedAt)} s`);
  return { counts: total, failures };
}

function inOneLine(file: string, { test, reason }: Failure): string {
  return [file, test, reason.split('\n')[0]].filter(Boolean).join(': ');
}

interface Outcome {
  name: string;
  seconds: string;
  result: FileResult;
}

async function runFile(file: string, options: ChildOptions): Promise<Outcome> {
  const startedAt = systemClock.monotonicMs();
  const report = join(tmpdir(), `ericht-test-${randomUUID()}.json`);
  const args = [...REPORTS, `--report-directory=${dirname(report)}`, `--report-filename=${basename(report)}`, file];
  const { stdout, ...ending } = await runChild(process.execPath, args, { ...options, ask: ASK });
  const standing = new Standing();
  standing.add(stdout);
  const whole = { ...ending, stood: `${standing}${await takeHolds(report)}` };
  const result = readTap(stdout, whole, { mayLeaveOut: options.env.CI !== 'true' });
  return { name: relative(options.cwd, file), seconds: secondsSince(startedAt), result };
}

/** Empty where there is no report, or half of one: a process that is busy writes none. */
async function takeHolds(report: string): Promise<string> {
  try {
    return `; its event loop held: ${holdsOf(await readFile(report, 'utf8'))}`;
  } catch {
    return '';
  } finally {
    await rm(report, { force: true });
  }
}

async function runCheck({ name, command, args }: Check, options: ChildOptions): Promise<Outcome> {
  const startedAt = systemClock.monotonicMs();
  const { stdout, stderr, exitCode, stopped } = await runChild(command, args, options);
  const text = [stopped, stdout.trim(), stderr.trim()].filter(Boolean).join('\n');
  const failures = exitCode === 0 ? [] : [{ reason: text, text }];
  const result = { passed: 1 - failures.length, failed: failures.length, skipped: 0, failures, skips: [] };
  return { name, seconds: secondsSince(startedAt), result };
}

function report(print: (line: string) => void, name: string, seconds: string, result: FileResult): void {
  print(`  ${result.failed ? 'FAIL' : 'ok  '} ${name}: ${countsText(result)}, ${seconds} s`);
  for (const skip of result.skips) print(`    skipped: ${skip.trim()}`);
  for (const failure of result.failures) print(indented(failure.text));
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, '    ').trimEnd();
}

/** "3 passed, 0 failed, 1 skipped" */
export function countsText({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

function secondsSince(startedAt: number): string {
  return ((systemClock.monotonicMs() - startedAt) / 1000).toFixed(1);
}
