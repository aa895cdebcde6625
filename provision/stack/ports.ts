import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { ErichtError } from '../../lib/errors.ts';

/** Whether something could listen there. */
export function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** Throws PORT_TAKEN, which names the flag that moves it. */
export async function requireFree(host: string, port: number, who: string, flag: string): Promise<void> {
  if (await isFree(host, port)) return;
  throw new ErichtError('PORT_TAKEN', {
    what: `port ${port} on ${host}, for ${who}, is taken`,
    next: `stop what listens there, or name another with ${flag}`,
  });
}

/** Throws USAGE for an address that this machine doesn't have: nothing could listen there. */
export function requireOwnAddress(address: string, flag: string): void {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const own = all.filter(({ family }) => family === 'IPv4').map((one) => one.address);
  if (own.includes(address)) return;
  throw new ErichtError('USAGE', {
    what: `${flag}: this machine has no address ${address}`,
    next: `it has ${own.join(', ')}`,
  });
}
