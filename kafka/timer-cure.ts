import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';

/** What the cure needs to know of a request queue; anything else means that kafkajs has changed. */
interface QueueShape {
  pending: unknown[];
  scheduleCheckPendingRequests(): void;
}

const cured = Symbol('ericht: timer cure');

/**
 * Keeps kafkajs 2.2.4 from burning a core's twentieth per idle connection: its request queue re-arms a timer with a
 * negative delay, which Node takes as 1 ms, even where no request waits. A queue without waiting requests needs no
 * timer at all, because the next request schedules its own. Source: kafkajs issues 1704 and 1751.
 *
 * Returns whether the cure is in place. Where kafkajs has another shape it is left alone and only costs CPU.
 */
export function cureTimer(prototype: Record<string | symbol, unknown> = RequestQueue.prototype): boolean {
  if (prototype[cured]) return true;
  const original = prototype.scheduleCheckPendingRequests;
  if (typeof original !== 'function' || typeof prototype.checkPendingRequests !== 'function') return false;
  prototype.scheduleCheckPendingRequests = function scheduleIfRequestsWait(this: QueueShape) {
    if (Array.isArray(this.pending) && this.pending.length === 0) return;
    original.call(this);
  };
  prototype[cured] = true;
  return true;
}
