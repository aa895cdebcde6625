/**
 * A trigger for every second in a process of its own, whose wall clock a test steps.
 *
 *   node test/helpers/cron-process.ts
 *
 * Prints one JSON object per line: {"event":"fired","at":EPOCH_MS,"stalledMs":N}, N being the longest that the process
 * did nothing else since the line before.
 */
import { systemClock as clock } from '../../lib/clock.ts';
import { startCron } from '../../lib/cron.ts';

const LOOK_MS = 20;
let stalledMs = 0;
let lookedMs = clock.monotonicMs();

function measure(): void {
  const nowMs = clock.monotonicMs();
  stalledMs = Math.max(stalledMs, Math.round(nowMs - lookedMs - LOOK_MS));
  lookedMs = nowMs;
}

function look(): void {
  measure();
  clock.setTimer(look, LOOK_MS);
}

function tell(): void {
  measure();
  process.stdout.write(`${JSON.stringify({ event: 'fired', at: clock.now(), stalledMs })}\n`);
  stalledMs = 0;
}

look();
startCron('* * * * * *', tell, clock);
