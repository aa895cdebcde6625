import type { Writable } from 'node:stream';
import { pino, stdTimeFunctions } from 'pino';

/** What a part may say. `warn` is for a person to act on; what is normal is not logged at all. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(bindings: Record<string, unknown>): Log;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** JSON lines for services. `destination` is stdout in production. */
export function jsonLog(level: LogLevel, destination: Writable, bindings: Record<string, unknown> = {}): Log {
  return pino({ level, base: bindings, timestamp: stdTimeFunctions.isoTime }, destination);
}

/** Plain sentences for people on a terminal, without fields; they go to stderr so that stdout carries data only. */
export function plainLog(level: LogLevel, destination: Writable): Log {
  const rank: Record<LogLevel, number> = { debug: 10, info: 20, warn: 30, error: 40, silent: 99 };
  const write = (at: LogLevel, prefix: string) => (_fields: object, message: string) => {
    if (rank[at] >= rank[level]) destination.write(`${prefix}${message}\n`);
  };
  const log: Log = {
    debug: write('debug', ''),
    info: write('info', ''),
    warn: write('warn', 'Warning: '),
    error: write('error', 'Error: '),
    child: () => log,
  };
  return log;
}

export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
};
