import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';
import { systemClock, type TimerHandle } from '../lib/clock.ts';

/** What the cure needs to know of a request queue; anything else means that kafkajs has changed. */
interface QueueShape {
  pending: unknown[];
  inflight: Map<number, { sentAt: number; requestTimeout: number; timeoutRequest(): void }>;
  enforceRequestTimeout?: boolean;
  requestTimeout: number;
  isConnected(): boolean;
  destroy(): void;
  [overdueTimer]?: TimerHandle | undefined;
}

const cured = Symbol('ericht: timer cure');
const overdueTimer = Symbol('ericht: timer of overdue requests');

const METHODS = [
  'scheduleCheckPendingRequests',
  'checkPendingRequests',
  'scheduleRequestTimeoutCheck',
  'sendSocketRequest',
  'destroy',
] as const;

/** The answers that are waited for here take 8 s and more to be overdue. */
const LOOK_EVERY_MS = 1000;

/**
 * Keeps kafkajs 2.2.4 from waking up for nothing. Its request queue re-arms a timer with a negative delay, which Node
 * takes as 1 ms, even where no request waits (a twentieth of a core per idle connection; kafkajs issues 1704 and 1751):
 * a queue without waiting requests needs no timer at all, because the next request schedules its own. And it looks ten
 * times a second for overdue answers, whether or not any is awaited: here once a second, while one is.
 *
 * Returns whether the cure is in place. Where kafkajs has another shape it is left alone and only costs CPU.
 */
export function cureTimer(prototype: Record<string | symbol, unknown> = RequestQueue.prototype): boolean {
  if (prototype[cured]) return true;
  if (METHODS.some((name) => typeof prototype[name] !== 'function')) return false;
  const { scheduleCheckPendingRequests, sendSocketRequest, destroy } = prototype as Record<
    (typeof METHODS)[number],
    (...args: unknown[]) => void
  >;
  prototype.scheduleCheckPendingRequests = function scheduleIfRequestsWait(this: QueueShape) {
    if (Array.isArray(this.pending) && this.pending.length === 0) return;
    scheduleCheckPendingRequests.call(this);
  };
  prototype.scheduleRequestTimeoutCheck = function scheduleWithTheNextRequest(this: QueueShape) {
    if (!this.enforceRequestTimeout) return;
    this.destroy();
    watchOverdue(this);
  };
  prototype.sendSocketRequest = function sendAndWatch(this: QueueShape, request: unknown) {
    sendSocketRequest.call(this, request);
    watchOverdue(this);
  };
  prototype.destroy = function destroyWithTimer(this: QueueShape) {
    if (this[overdueTimer] !== undefined) systemClock.clear(this[overdueTimer]);
    this[overdueTimer] = undefined;
    destroy.call(this);
  };
  prototype[cured] = true;
  return true;
}

function watchOverdue(queue: QueueShape): void {
  if (!queue.enforceRequestTimeout || queue.inflight.size === 0 || queue[overdueTimer] !== undefined) return;
  const look = () => {
    queue[overdueTimer] = undefined;
    // kafkajs takes these times from the wall clock.
    const now = systemClock.now();
    for (const request of [...queue.inflight.values()]) {
      if (now - request.sentAt > request.requestTimeout) request.timeoutRequest();
    }
    if (queue.isConnected()) watchOverdue(queue);
    else queue.destroy();
  };
  queue[overdueTimer] = systemClock.setTimer(look, Math.min(queue.requestTimeout, LOOK_EVERY_MS));
}
