import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';
import { test } from 'tap';
import { cureTimer } from '../../kafka/timer-cure.ts';

const require = createRequire(import.meta.url);

test('kafkajs has the shape that the cure was written for', async (t) => {
  const { version } = require('kafkajs/package.json');
  t.equal(version, '2.2.4', 'with another version, check whether the cure is still needed, and fits');
  const source = await readFile(require.resolve('kafkajs/src/network/requestQueue/index.js'), 'utf8');
  const method = /scheduleCheckPendingRequests\(\) \{[\s\S]*?\n {2}\}/.exec(source)?.[0].replace(/\/\/.*|\s+/g, '');
  t.equal(
    method,
    'scheduleCheckPendingRequests(){letscheduleAt=this.throttledUntil-Date.now()if(!this.throttleCheckTimeoutId){' +
      'if(this.pending.length>0){scheduleAt=scheduleAt>0?scheduleAt:CHECK_PENDING_REQUESTS_INTERVAL}' +
      'this.throttleCheckTimeoutId=setTimeout(()=>{this.throttleCheckTimeoutId=nullthis.checkPendingRequests()},scheduleAt)}}',
  );
  t.ok(cureTimer(), 'the cure is in place');
  t.ok(cureTimer(), 'and put there once');
});

// An idle producer and consumer together took 3.8 to 4.1 % of a core as they come, 0.7 % cured: bench/kafka-idle.ts.
test('an idle request queue arms no timer, one with a waiting request does', async (t) => {
  cureTimer();
  const Queue = RequestQueue as unknown as new (
    options: object,
  ) => {
    throttleCheckTimeoutId: unknown;
    pending: unknown[];
    checkPendingRequests(): void;
    scheduleCheckPendingRequests(): void;
    destroy(): void;
  };
  const queue = new Queue({ logger: { debug() {} }, maxInFlightRequests: 0 });
  t.teardown(() => queue.destroy());
  queue.checkPendingRequests();
  t.equal(queue.throttleCheckTimeoutId, null);
  queue.pending.push({});
  queue.scheduleCheckPendingRequests();
  t.not(queue.throttleCheckTimeoutId, null);
});

test('a kafkajs of another shape is left alone', async (t) => {
  t.equal(cureTimer({}), false);
  const other = { scheduleCheckPendingRequests: 7, checkPendingRequests() {} };
  t.equal(cureTimer(other), false);
  t.equal(other.scheduleCheckPendingRequests, 7);
});
