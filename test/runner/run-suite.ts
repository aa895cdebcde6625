import { relative } from 'node:path';
import { systemClock } from '../../lib/clock.ts';
import { type ChildOptions, runChild } from './child.ts';
import type { Selection } from './suites.ts';
import { type FileResult, readTap } from './tap-result.ts';

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

export interface RunOptions extends Omit<ChildOptions, 'limitMs'> {
  print(line: string): void;
  /** Beside the files: programs that must end well, each counted as one test. */
  checks?: Check[];
}

export interface Check {
  name: string;
  command: string;
  args: string[];
}

/** Runs the files of a suite, says how each did, and sums up. With CI=true nothing may be skipped or still to do. */
export async function runSuite({ suite, files }: Selection, options: RunOptions): Promise<Counts> {
  const { print, checks = [] } = options;
  const startedAt = systemClock.monotonicMs();
  const total: Counts = { passed: 0, failed: 0, skipped: 0 };
  const expiry = new AbortController();
  const late = `the suite was not done within ${suite.limitMs / 1000} s`;
  const timer = systemClock.setTimer(() => expiry.abort(late), suite.limitMs);
  const signal = AbortSignal.any([options.signal, expiry.signal]);
  const env = { ...options.env, TAP_TIMEOUT: String(suite.fileLimitMs / 1000) };
  const work = [
    ...checks.map((check) => () => runCheck(check, { ...options, env, signal, limitMs: suite.fileLimitMs })),
    ...files.map((file) => () => runFile(file, { ...options, env, signal, limitMs: suite.fileLimitMs })),
  ];
  const lane = async () => {
    for (let next = work.shift(); next; next = work.shift()) {
      const { name, seconds, result } = await next();
      report(print, name, seconds, result);
      total.passed += result.passed;
      total.failed += result.failed;
      total.skipped += result.skipped;
    }
  };
  await Promise.all(Array.from({ length: suite.jobs }, lane));
  systemClock.clear(timer);
  print(`${suite.name}: ${countsText(total)} in ${secondsSince(startedAt)} s`);
  return total;
}

interface Outcome {
  name: string;
  seconds: string;
  result: FileResult;
}

async function runFile(file: string, options: ChildOptions): Promise<Outcome> {
  const startedAt = systemClock.monotonicMs();
  const { stdout, ...ending } = await runChild(process.execPath, [file], options);
  const result = readTap(stdout, ending, { mayLeaveOut: options.env.CI !== 'true' });
  return { name: relative(options.cwd, file), seconds: secondsSince(startedAt), result };
}

async function runCheck({ name, command, args }: Check, options: ChildOptions): Promise<Outcome> {
  const startedAt = systemClock.monotonicMs();
  const { stdout, stderr, exitCode, stopped } = await runChild(command, args, options);
  const failures = exitCode === 0 ? [] : [[stopped, stdout.trim(), stderr.trim()].filter(Boolean).join('\n')];
  const result = { passed: 1 - failures.length, failed: failures.length, skipped: 0, failures, skips: [] };
  return { name, seconds: secondsSince(startedAt), result };
}

function report(print: (line: string) => void, name: string, seconds: string, result: FileResult): void {
  print(`  ${result.failed ? 'FAIL' : 'ok  '} ${name}: ${countsText(result)}, ${seconds} s`);
  for (const skip of result.skips) print(`    skipped: ${skip.trim()}`);
  for (const failure of result.failures) print(indented(failure));
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
