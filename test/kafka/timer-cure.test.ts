import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';
import { type Test, test } from 'tap';
import { cureTimer } from '../../kafka/timer-cure.ts';
import { systemClock } from '../../lib/clock.ts';
import { until } from '../helpers/until.ts';

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
  const overdue = /scheduleRequestTimeoutCheck\(\) \{[\s\S]*?\n {2}\}/.exec(source)?.[0].replace(/\s+/g, '');
  t.equal(
    overdue,
    'scheduleRequestTimeoutCheck(){if(this.enforceRequestTimeout){this.destroy()' +
      'this.requestTimeoutIntervalId=setInterval(()=>{this.inflight.forEach(request=>{' +
      'if(Date.now()-request.sentAt>request.requestTimeout){request.timeoutRequest()}})' +
      'if(!this.isConnected()){this.destroy()}},Math.min(this.requestTimeout,100))}}',
  );
  t.ok(cureTimer(), 'the cure is in place');
  t.ok(cureTimer(), 'and put there once');
});

interface Queue {
  throttleCheckTimeoutId: unknown;
  pending: unknown[];
  push(request: object): void;
  fulfillRequest(answer: { correlationId: number; payload: unknown; size: number }): void;
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
  scheduleRequestTimeoutCheck(): void;
  destroy(): void;
}

function newQueue(t: Test, options: object): Queue {
  cureTimer();
  const Queue = RequestQueue as unknown as new (options: object) => Queue;
  const queue = new Queue({ logger: { debug() {} }, ...options });
  t.teardown(() => queue.destroy());
  return queue;
}

function timers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
}

function request(correlationId: number, reject: (error: Error) => void = () => {}) {
  const entry = { correlationId, apiName: 'Produce', apiKey: 0, apiVersion: 7, resolve() {}, reject };
  return { entry, expectResponse: true, sendRequest() {} };
}

// An idle producer and consumer together took 3.8 to 4.1 % of a core as they come, 0.7 % cured: bench/kafka-idle.ts.
test('an idle request queue arms no timer, one with a waiting request does', async (t) => {
  const queue = newQueue(t, { maxInFlightRequests: 0 });
  queue.checkPendingRequests();
  t.equal(queue.throttleCheckTimeoutId, null);
  queue.pending.push({});
  queue.scheduleCheckPendingRequests();
  t.not(queue.throttleCheckTimeoutId, null);
});

test('overdue answers are looked for only while one is awaited', async (t) => {
  const before = timers();
  const queue = newQueue(t, { maxInFlightRequests: null, requestTimeout: 60, enforceRequestTimeout: true });
  queue.scheduleRequestTimeoutCheck();
  t.equal(timers(), before, 'a connection without requests needs no timer');
  queue.push(request(1));
  t.equal(timers(), before + 1);
  queue.fulfillRequest({ correlationId: 1, payload: null, size: 0 });
  await until('no timer', () => timers() === before);
  const startedMs = systemClock.monotonicMs();
  const overdue = await new Promise<Error>((resolve) => queue.push(request(2, resolve)));
  t.match(overdue, { name: 'KafkaJSRequestTimeoutError' });
  t.ok(systemClock.monotonicMs() - startedMs >= 55, 'not before its time');
  queue.push(request(3));
  queue.destroy();
  t.equal(timers(), before, 'a queue that is done with leaves no timer');
});

test('a kafkajs of another shape is left alone', async (t) => {
  t.equal(cureTimer({}), false);
  const other = { scheduleCheckPendingRequests: 7, checkPendingRequests() {} };
  t.equal(cureTimer(other), false);
  t.equal(other.scheduleCheckPendingRequests, 7);
});
