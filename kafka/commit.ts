import type { EachBatchPayload } from 'kafkajs';
import { Backoff } from '../lib/backoff.ts';
import { type Clock, sleep } from '../lib/clock.ts';
import type { Assignment } from './assignment.ts';
import { classifyKafkaError, isFenced } from './errors.ts';

const COMMIT_LIMIT_MS = 10_000;

export interface CommitOptions {
  clock: Clock;
  assignment: Assignment;
  nextOffset: string;
  /** kafkajs's commit without retries of its own: those would be made with a later generation. */
  commitNow: EachBatchPayload['commitOffsetsIfNecessary'];
  /** The broker says that the group has moved on. */
  onFenced(): void;
}

/**
 * kafkajs commits with the generation that it is in when this is called, so the assignment's life is checked in the
 * same breath. A commit on its way when the group moves on carries the old generation, and the broker refuses it. What
 * remains is a commit that arrives while the members are still being gathered: the broker takes it, and it is true,
 * because all below it is durable.
 *
 * Resolves false if the assignment is gone. Rejects, to be tried again, if the broker is away for 10 s.
 */
export async function commitOffset(options: CommitOptions): Promise<boolean> {
  const { clock, assignment, nextOffset, commitNow, onFenced } = options;
  const { topic, partition, signal } = assignment;
  const until = clock.monotonicMs() + COMMIT_LIMIT_MS;
  const backoff = new Backoff({ baseMs: 200, maxMs: 2000 });
  while (assignment.alive) {
    try {
      await commitNow({ topics: [{ topic, partitions: [{ partition, offset: nextOffset }] }] });
      return true;
    } catch (error) {
      if (isFenced(error)) {
        // A late answer to a commit of long ago must not end what was assigned since.
        if (assignment.alive) onFenced();
        return false;
      }
      if (!assignment.alive) return false;
      if (clock.monotonicMs() >= until) throw classifyKafkaError(error, `cannot commit an offset of ${topic}`);
      await sleep(clock, 50 + backoff.nextDelayMs(), signal);
    }
  }
  return false;
}
