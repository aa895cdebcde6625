import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import kafkajs, { type ISocketFactory, type Kafka, type KafkaConfig } from 'kafkajs';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { quietLogCreator } from './quiet-log.ts';
import { cureTimer } from './timer-cure.ts';
import type { KafkaSettings } from './types.ts';

/** Boards on Wi-Fi need more than the 1 s that kafkajs allows. */
const CONNECTION_TIMEOUT_MS = 10_000;

const KEEP_ALIVE_MS = 60_000;

export interface KafkaClient {
  kafka: Kafka;
  /**
   * Ends every connection at once and allows no new one, so that all that waits for a frozen broker fails now. kafkajs
   * itself waits for its requests first, up to their timeout.
   */
  destroy(): void;
}

export interface ClientOptions {
  settings: KafkaSettings;
  clock: Clock;
  log: Log;
  /** An answer that takes longer counts as none. */
  requestTimeoutMs?: number;
  /** Sees every sentence that kafkajs would log: some of its news comes in no other way. */
  watchLog?: (message: string, fields: Record<string, unknown>) => void;
}

export function openClient({ settings, clock, log, requestTimeoutMs = 20_000, watchLog }: ClientOptions): KafkaClient {
  if (!cureTimer()) log.debug({}, 'kafkajs has another shape than expected: its idle timer is not cured');
  const sockets = new Set<Socket>();
  let destroyed = false;

  const socketFactory: ISocketFactory = ({ host, port, ssl, onConnect }) => {
    if (destroyed) throw new Error('this client is closed');
    const name = isIP(host) ? {} : { servername: host };
    const socket = ssl
      ? connectTls({ host, port, ...name, ...ssl, rejectUnauthorized: true }, onConnect)
      : connectPlain({ host, port }, onConnect);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.setNoDelay(true);
    // kafkajs ends a dead socket again at every retry, each time with one more listener that is never called.
    socket.setMaxListeners(0);
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    return socket;
  };

  const kafka = new kafkajs.Kafka({
    ...securityOf(settings),
    brokers: settings.brokers,
    clientId: settings.clientId,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    authenticationTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: requestTimeoutMs,
    // Whoever uses the client tries again, with a backoff of its own; this only bridges a moment.
    retry: { initialRetryTime: 100, maxRetryTime: 1000, retries: 3 },
    socketFactory,
    logLevel: kafkajs.logLevel.WARN,
    logCreator: quietLogCreator(log, clock, watchLog),
  });

  return {
    kafka,
    destroy() {
      destroyed = true;
      // kafkajs hears of the end by the error only; a connection that it has closed itself needs none.
      const cut = new Error('closed by this side');
      for (const socket of sockets) socket.destroy(socket.writableEnded ? undefined : cut);
    },
  };
}

/** TLS always verifies the broker's certificate and name; there is no switch for it. */
export function securityOf({ tls, sasl }: KafkaSettings): Pick<KafkaConfig, 'ssl' | 'sasl'> {
  return {
    ...(tls && {
      ssl: {
        rejectUnauthorized: true,
        minVersion: 'TLSv1.2' as const,
        ...(tls.ca !== undefined && { ca: [tls.ca] }),
        ...(tls.cert !== undefined && { cert: tls.cert }),
        ...(tls.key !== undefined && { key: tls.key }),
      },
    }),
    ...(sasl && { sasl: { mechanism: sasl.mechanism, username: sasl.username, password: sasl.password } as never }),
  };
}
