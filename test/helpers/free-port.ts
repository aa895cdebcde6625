import { randomInt } from 'node:crypto';
import { isFree } from '../../provision/stack/ports.ts';

const LOWEST = 20_000;
/** Linux hands ports from 32768 up to whoever dials out: one of those could be taken while a server is restarted. */
const ABOVE = 32_000;

const given = new Set<number>();

/** A port on 127.0.0.1 where nothing listens, and which this process is not given twice. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 1000; attempt += 1) {
    const port = randomInt(LOWEST, ABOVE);
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree('127.0.0.1', port)) return port;
  }
  throw new Error(`no free port found between ${LOWEST} and ${ABOVE}`);
}
