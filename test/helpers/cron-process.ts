/**
 * A trigger for every second in a process of its own, whose wall clock a test steps.
 *
 *   node test/helpers/cron-process.ts
 *
 * Prints one JSON object per line: {"event":"fired","at":EPOCH_MS,"stalledMs":N}, N being the longest that the process
 * did nothing else since the line before. What arms a timer is held up for 5 ms, as it is on a busy board.
 */

import { systemClock } from '../../lib/clock.ts';
import { startCron } from '../../lib/cron.ts';

const LOOK_MS = 20;
let stalledMs = 0;
let lookedMs = systemClock.monotonicMs();

function measure(): void {
  const nowMs = systemClock.monotonicMs();
  stalledMs = Math.max(stalledMs, Math.round(nowMs - lookedMs - LOOK_MS));
  lookedMs = nowMs;
}

function look(): void {
  measure();
  systemClock.setTimer(look, LOOK_MS);
}

const clock: typeof systemClock = {
  ...systemClock,
  setTimer(callback, delayMs) {
    for (const untilMs = systemClock.monotonicMs() + 5; systemClock.monotonicMs() < untilMs; );
    return systemClock.setTimer(callback, delayMs);
  },
};

look();
startCron(
  '* * * * * *',
  () => {
    measure();
    process.stdout.write(`${JSON.stringify({ event: 'fired', at: systemClock.now(), stalledMs })}\n`);
    stalledMs = 0;
  },
  clock,
);
