/** What one test file reported. A test is whatever stands at the top level of the file's TAP. */
export interface FileResult {
  passed: number;
  failed: number;
  skipped: number;
  /** Each failure as it was printed, with its subtests and diagnostics. */
  failures: string[];
  /** Names and reasons of what was skipped or is still to do. */
  skips: string[];
}

export interface Ending {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  /** Set when the runner ended the file, with the reason. */
  stopped?: string | undefined;
  stderr: string;
}

const POINT = /^(not )?ok\b\s*\d*\s*-?\s*(.*?)(?:\s+#\s*(SKIP|TODO|time=)(.*))?\s*\{?$/i;
const PLAN = /^1\.\.(\d+)(?:\s*#\s*(.*))?$/;
/** What a subtest left out, at any depth: tap counts the test around it as passed. */
const LEFT_OUT_INSIDE = /^(?: {4})+(?:not )?ok\b\s*\d*\s*-?\s*(.*?)\s+#\s*(SKIP|TODO)\b(.*)$/i;
/** A subtest that ended without one assertion: it would pass whatever the code does. */
const HOLLOW = /^ {4}1\.\.0\s*$/;
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
  let failing: string[] | undefined;
  const fail = (text: string) => {
    result.failed += 1;
    result.failures.push(text);
  };
  const leaveOut = (parts: string[]) => {
    if (!mayLeaveOut) return fail(`left out, and here nothing may be: ${parts.join('; ')}`);
    result.skipped += 1;
    result.skips.push(...parts);
  };
  const closeFailing = () => {
    if (failing) fail(failing.join('\n'));
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
      if (point[1] && !isLeftOut(point[3])) failing = [...block, line];
      else if (leftOut.length > 0) leaveOut(leftOut);
      else if (block.some((earlier) => HOLLOW.test(earlier))) fail(`asserts nothing: ${point[2]}`);
      else result.passed += 1;
      block = [];
    } else if (line.startsWith('Bail out!')) {
      closeFailing();
      fail(line);
      break;
    } else {
      if (line.startsWith('# Subtest')) closeFailing();
      (failing ?? block).push(line);
    }
  }
  closeFailing();
  const why = whyNotBelieved({ ...ending, planned, points, skippedWhole, failed: result.failed });
  if (why && !result.failures.some((failure) => failure.startsWith('Bail out!')))
    fail([why, ...block.filter((line) => line.trim() !== '').slice(-40), ending.stderr.trim()].join('\n'));
  return result;
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
  const { stopped, planned, points, skippedWhole, failed, exitCode, signal } = facts;
  if (stopped) return stopped;
  if (planned === undefined) return `the file ended early, after ${points} tests (${endOf(exitCode, signal)})`;
  if (planned !== points) return `the file planned ${planned} tests and reported ${points}`;
  if (points === 0 && !skippedWhole) return 'the file holds no test';
  if (exitCode !== 0 && failed === 0) return `all tests passed, and yet the file failed (${endOf(exitCode, signal)})`;
  return undefined;
}

function endOf(exitCode: number | null, signal: NodeJS.Signals | null): string {
  return signal ? `killed by ${signal}` : `exit code ${exitCode}`;
}
