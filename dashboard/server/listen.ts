import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ErichtError, reasonOf } from '../../lib/errors.ts';

/** How many ports above a taken default one are tried. */
export const PORTS_TRIED = 20;

interface ListenOptions {
  host: string;
  /** 0 takes any free one. */
  port: number;
  /** A port that somebody asked for is never replaced by another. */
  portIsExplicit: boolean;
}

/** Resolves with the port that is open. Throws PORT_TAKEN, or CONFIG_INVALID for an address that can't be opened. */
export async function listenOn(server: Server, { host, port, portIsExplicit }: ListenOptions): Promise<number> {
  const tries = portIsExplicit || port === 0 ? 1 : PORTS_TRIED;
  for (let offset = 0; offset < tries && port + offset <= 65_535; offset += 1) {
    try {
      return await listenOnce(server, host, port + offset);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw unusable(host, port + offset, error);
    }
  }
  const last = port + tries - 1;
  throw new ErichtError('PORT_TAKEN', {
    what: tries === 1 ? `port ${port} on ${host} is taken` : `ports ${port} to ${last} on ${host} are all taken`,
    next: 'choose another with --port, or --port 0 for any free one',
  });
}

function listenOnce(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function unusable(host: string, port: number, error: unknown): ErichtError {
  return new ErichtError('CONFIG_INVALID', {
    what: `cannot listen on ${host}:${port}`,
    why: reasonOf(error),
    next: 'choose an address of this machine with --listen, and a port above 1023 with --port',
    cause: error,
  });
}

/** An address that a browser on this machine can open. */
export function browserUrl(host: string, port: number): string {
  if (host === '0.0.0.0') return `http://127.0.0.1:${port}`;
  if (host === '::') return `http://[::1]:${port}`;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Whether `host` can only be reached from this machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}
