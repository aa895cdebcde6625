import { LATE } from './standing.ts';

export interface Failure {
  /** Name of the test; of what is wrong with the file as a whole there is none. */
  test?: string;
  /** The first thing that went wrong, in one line. */
  reason: string;
  /** All of it as it was printed, with its subtests and diagnostics. */
  text: string;
}

/** What one test file reported. A test is whatever stands at the top level of the file's TAP. */
export interface FileResult {
  passed: number;
  failed: number;
  skipped: number;
  failures: Failure[];
  /** Names and reasons of what was skipped or is still to do. */
  skips: string[];
}

export interface Ending {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  /** Set when the runner ended the file, with the reason. */
  stopped?: string | undefined;
  /** Where the file stood when it was late. */
  stood?: string;
  stderr: string;
}

const POINT = /^(not )?ok\b\s*\d*\s*-?\s*(.*?)(?:\s+#\s*(SKIP|TODO|time=)(.*))?\s*\{?$/i;
const PLAN = /^1\.\.(\d+)(?:\s*#\s*(.*))?$/;
/** What a subtest left out, at any depth: tap counts the test around it as passed. */
const LEFT_OUT_INSIDE = /^(?: {4})+(?:not )?ok\b\s*\d*\s*-?\s*(.*?)\s+#\s*(SKIP|TODO)\b(.*)$/i;
/** A subtest that ended without one assertion: it would pass whatever the code does. */
const HOLLOW = /^ {4}1\.\.0\s*$/;
const FAILED_INSIDE = /^(?: {4})+not ok\b\s*\d*\s*-?\s*(.*?)(?:\s+#.*)?$/;
/** Lines of a difference that say what was wanted and what was found. */
const DIFFERENCE = /^\s+([-+](?![-+]).*)$/;
/** Of output and stderr that are shown of a file that can't be believed. */
const SHOWN_LINES = 30;
/** How tap words the plan of a file that did nothing, as opposed to one that skips itself and says why. */
const NO_TESTS = 'no tests found';

/**
 * Counts what a file said, and believes it only as far as it holds together: a plan that is missing or doesn't match, a
 * bad exit without a failed test, a bail-out and a file without any test are each one failure more. A test of which any
 * part was skipped or is still to do has not passed: it is skipped, or failed where `mayLeaveOut` is false.
 */
export function readTap(output: string, ending: Ending, { mayLeaveOut }: { mayLeaveOut: boolean }): FileResult {
  const result: FileResult = { passed: 0, failed: 0, skipped: 0, failures: [], skips: [] };
  let planned: number | undefined;
  let skippedWhole = false;
  let points = 0;
  let block: string[] = [];
  let failing: { test: string; lines: string[] } | undefined;
  const fail = (text: string, test?: string, reason = text) => {
    result.failed += 1;
    result.failures.push({ ...(test !== undefined && { test }), reason, text });
  };
  const leaveOut = (parts: string[]) => {
    if (!mayLeaveOut) return fail(`left out, and here nothing may be: ${parts.join('; ')}`);
    result.skipped += 1;
    result.skips.push(...parts);
  };
  const closeFailing = () => {
    if (failing?.test === LATE) fail([`the file did not end; ${ending.stood}`, ...failing.lines].join('\n'), LATE);
    else if (failing) fail(failing.lines.join('\n'), failing.test, reasonIn(failing.lines));
    failing = undefined;
  };
  for (const line of output.split('\n')) {
    const plan = PLAN.exec(line);
    const point = POINT.exec(line);
    if (plan) {
      closeFailing();
      planned = Number(plan[1]);
      if (planned === 0 && plan[2] && plan[2] !== NO_TESTS) {
        skippedWhole = true;
        leaveOut([plan[2]]);
      }
    } else if (point) {
      closeFailing();
      points += 1;
      const leftOut = leftOutParts(point, block);
      if (point[1] && !isLeftOut(point[3])) failing = { test: point[2] ?? '', lines: [...block, line] };
      else if (leftOut.length > 0) leaveOut(leftOut);
      else if (block.some((earlier) => HOLLOW.test(earlier)))
        fail(`asserts nothing: ${point[2]}`, point[2], 'asserts nothing');
      else result.passed += 1;
      block = [];
    } else if (line.startsWith('Bail out!')) {
      closeFailing();
      fail(line);
      break;
    } else {
      if (line.startsWith('# Subtest')) closeFailing();
      (failing?.lines ?? block).push(line);
    }
  }
  closeFailing();
  const why = whyNotBelieved({ ...ending, planned, points, skippedWhole, failed: result.failed });
  if (why && !result.failures.some(({ text }) => text.startsWith('Bail out!'))) {
    const shown = ['its last lines:', ...lastLines(output), ...lastLines(ending.stderr)];
    fail([why, ...(shown.length > 1 ? shown : [])].join('\n'), undefined, why);
  }
  return result;
}

function lastLines(text: string): string[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.slice(-SHOWN_LINES);
}

/** The first assertion that failed, with its difference; empty where the test itself is that assertion. */
function reasonIn(lines: string[]): string {
  const at = lines.findIndex((line) => FAILED_INSIDE.test(line));
  const name = FAILED_INSIDE.exec(lines[at] ?? '')?.[1] ?? '';
  const from = lines.findIndex((line, index) => index > at && /^\s+diff: /.test(line));
  const to = lines.findIndex((line, index) => index > from && /^\s+(?:\w+:|\.\.\.)/.test(line));
  const difference = (from < 0 ? [] : lines.slice(from, to < 0 ? undefined : to))
    .map((line) => DIFFERENCE.exec(line)?.[1])
    .filter((line) => line !== undefined);
  return [name, difference.slice(0, 2).join(' ')].filter(Boolean).join(': ');
}

function isLeftOut(directive: string | undefined): boolean {
  return /^(SKIP|TODO)$/i.test(directive ?? '');
}

/** "name: SKIP reason" of a test, or of each part of it, that was skipped or is still to do. */
function leftOutParts([, , name, directive, reason = '']: RegExpExecArray, block: string[]): string[] {
  if (isLeftOut(directive)) return [`${name}: ${directive?.toUpperCase()}${reason}`];
  return block
    .map((line) => LEFT_OUT_INSIDE.exec(line))
    .filter((inside) => inside !== null)
    .map(([, part, inside, why]) => `${name}: ${part}: ${inside?.toUpperCase()}${why}`);
}

function whyNotBelieved(
  facts: Ending & { planned: number | undefined; points: number; skippedWhole: boolean; failed: number },
): string | undefined {
  const { stopped, stood, planned, points, skippedWhole, failed, exitCode, signal } = facts;
  if (stopped) return stood ? `${stopped}; ${stood}` : stopped;
  if (planned === undefined) return `the file ended early, after ${points} tests (${endOf(exitCode, signal)})`;
  if (planned !== points) return `the file planned ${planned} tests and reported ${points}`;
  if (points === 0 && !skippedWhole) return 'the file holds no test';
  if (exitCode !== 0 && failed === 0) return `all tests passed, and yet the file failed (${endOf(exitCode, signal)})`;
  return undefined;
}

function endOf(exitCode: number | null, signal: NodeJS.Signals | null): string {
  return signal ? `killed by ${signal}` : `exit code ${exitCode}`;
}
