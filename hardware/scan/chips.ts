import { constants } from 'node:os';
import { ErichtError, reasonOf } from '../../lib/errors.ts';
import { errnoOf, isUnanswered } from '../i2c/bus-error.ts';
import type { I2cBus } from '../i2c/port.ts';
import { isIna226, Register } from '../ina226/registers.ts';
import type { Claim } from './claims.ts';

/** All addresses that an INA226 can have. Nothing else is looked at: some chips take any access for a command. */
const FIRST_ADDRESS = 0x40;
const LAST_ADDRESS = 0x4f;

export interface ScannedChip {
  address: number;
  /** `other`: answers, and isn't an INA226; `failed`: the bus reported a fault at this address. */
  state: 'ina226' | 'other' | 'claimed' | 'failed';
  /** Registers 00h, FEh and FFh as read. */
  configuration?: number;
  manufacturer?: number;
  die?: number;
  claim?: Claim;
  /** Why it failed. */
  why?: string;
}

export interface ScannedAddresses {
  chips: ScannedChip[];
  /** Why the bus as a whole can't be read. */
  problem?: { why: string; next?: string };
}

/**
 * Looks at each address with SMBus word reads and never writes a register. 00h comes first: humidity sensors of the
 * SHT21 family sit at 40h as well and take FEh, the register of the identity, for a reset; they don't acknowledge 00h.
 */
export async function scanAddresses(bus: I2cBus, claims: Claim[]): Promise<ScannedAddresses> {
  const chips: ScannedChip[] = [];
  for (let address = FIRST_ADDRESS; address <= LAST_ADDRESS; address += 1) {
    const claim = claims.find((one) => one.address === address);
    if (claim) {
      chips.push({ address, state: 'claimed', claim });
      continue;
    }
    try {
      chips.push(await identify(bus, address));
    } catch (error) {
      if (isUnanswered(error)) continue;
      const errno = errnoOf(error);
      if (errno === constants.errno.EBUSY) chips.push({ address, state: 'claimed' });
      else if (errno === constants.errno.EIO) chips.push({ address, state: 'failed', why: reasonOf(error) });
      else return { chips, problem: problemOf(error) };
    }
  }
  return everythingFailed(chips) ?? { chips };
}

async function identify(bus: I2cBus, address: number): Promise<ScannedChip> {
  const configuration = await bus.readWord(address, Register.configuration);
  try {
    const manufacturer = await bus.readWord(address, Register.manufacturer);
    const die = await bus.readWord(address, Register.die);
    const state = isIna226(manufacturer, die) ? 'ina226' : 'other';
    return { address, state, configuration, manufacturer, die };
  } catch (error) {
    if (isUnanswered(error)) return { address, state: 'other', configuration };
    throw error;
  }
}

/** Some adapters say "input/output error" for every address, whether for want of a chip or of pull-ups. */
function everythingFailed(chips: ScannedChip[]): ScannedAddresses | undefined {
  const failed = chips.filter(({ state }) => state === 'failed');
  if (failed.length <= (LAST_ADDRESS - FIRST_ADDRESS) / 2) return undefined;
  return {
    chips: chips.filter(({ state }) => state !== 'failed'),
    problem: {
      why: `${failed.length} addresses give an input/output error`,
      next: 'check the wiring, if a chip should be here',
    },
  };
}

function problemOf(error: unknown): { why: string; next?: string } {
  if (!(error instanceof ErichtError)) return { why: reasonOf(error) };
  return { why: error.why ?? error.what, ...(error.next !== undefined && { next: error.next }) };
}
