/**
 * A bus on which chips with 16-bit registers are read and written. Words are in the chip's order, most significant byte
 * first on the wire: an implementation swaps where its transport (SMBus) says otherwise, and nobody else does.
 *
 * Rejects with SENSOR_UNREADABLE whose `why` a person understands.
 */
export interface I2cBus {
  readWord(address: number, register: number): Promise<number>;
  writeWord(address: number, register: number, word: number): Promise<void>;
  /** Gives up what is held; a later call opens it anew. */
  close(): Promise<void>;
}

/** "0x40", as people and i2cdetect write addresses. */
export function formatAddress(address: number): string {
  return `0x${address.toString(16).padStart(2, '0')}`;
}
