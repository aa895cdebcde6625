import { constants } from 'node:os';
import { ErichtError, reasonOf } from '../../lib/errors.ts';
import { formatAddress } from './port.ts';

interface Meaning {
  why: string;
  next?: string;
}

const UNANSWERED: Meaning = { why: 'no chip answers at this address', next: 'check the wiring and the address' };

/** Linux's EREMOTEIO; neither POSIX nor node:os name it. */
const EREMOTEIO = 121;

/** A missing chip is EREMOTEIO on a Raspberry Pi, ENXIO on most adapters, ENODEV on the kernel's stub. */
const MEANINGS: Record<number, Meaning> = {
  [EREMOTEIO]: UNANSWERED,
  [constants.errno.ENXIO]: UNANSWERED,
  [constants.errno.ENODEV]: UNANSWERED,
  [constants.errno.EBUSY]: { why: 'claimed by a kernel driver', next: 'let the driver serve it, or unbind the driver' },
  [constants.errno.EACCES]: { why: 'permission denied', next: 'add the user of the agent to the group i2c' },
  [constants.errno.ENOENT]: { why: 'there is no such bus', next: "enable I2C in the board's boot configuration" },
  [constants.errno.ETIMEDOUT]: { why: 'the bus timed out', next: 'check that SDA and SCL have pull-ups and no short' },
  [constants.errno.EAGAIN]: { why: 'arbitration was lost to another master' },
  [constants.errno.EIO]: { why: 'the bus reports an input/output error', next: 'check the wiring' },
};

/**
 * Why a transfer failed, in words. It goes by errno and its absolute value: i2c-bus leaves `code` empty for EREMOTEIO,
 * and its own errors are positive where those of node:fs are negative.
 */
export function toBusError(error: unknown, busNumber: number, address: number): ErichtError {
  if (error instanceof ErichtError) return error;
  const { why, next } = MEANINGS[errnoOf(error)] ?? { why: reasonOf(error) };
  return new ErichtError('SENSOR_UNREADABLE', {
    what: `cannot reach ${formatAddress(address)} on /dev/i2c-${busNumber}`,
    why,
    ...(next === undefined ? {} : { next }),
    cause: error,
  });
}

/** Whether there simply is no chip at the address: nothing is wrong with the bus then. */
export function isUnanswered(error: unknown): boolean {
  return MEANINGS[errnoOf(error)] === UNANSWERED;
}

/** The errno behind an error of a bus; 0 where there is none. */
export function errnoOf(error: unknown): number {
  const from = error instanceof ErichtError ? error.cause : error;
  return Math.abs((from as { errno?: number } | undefined)?.errno ?? 0);
}
