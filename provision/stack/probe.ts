import { connect } from 'node:net';
import type { Clock } from '../../lib/clock.ts';

const ANSWER_LIMIT_MS = 2000;

/**
 * How many brokers the one at this address knows to be ready; 0 while it doesn't answer. An open port comes earlier:
 * the broker has yet to be admitted by the controller. Source: Kafka protocol guide, Metadata request version 1.
 */
export async function brokersReady(host: string, port: number, clock: Clock): Promise<number> {
  const request = Buffer.alloc(20);
  request.writeInt32BE(16, 0); // length of what follows
  request.writeInt16BE(3, 4); // Metadata
  request.writeInt16BE(1, 6); // version 1
  request.writeInt32BE(1, 8); // correlation
  request.writeInt16BE(2, 12); // length of the client's name
  request.write('up', 14, 'ascii');
  request.writeInt32BE(0, 16); // of no topic
  const answer = await ask(host, port, request, 12, clock);
  return answer?.readInt32BE(8) ?? 0;
}

/** Whether Cassandra takes native-protocol clients. Source: native protocol v4, OPTIONS (05) and SUPPORTED (06). */
export async function cassandraReady(host: string, port: number, clock: Clock): Promise<boolean> {
  const answer = await ask(host, port, Buffer.from([0x04, 0, 0, 0, 0x05, 0, 0, 0, 0]), 9, clock);
  return answer?.[4] === 0x06;
}

/** Sends `request` and resolves with the answer once it is `enough` bytes long; undefined for every kind of no answer. */
function ask(host: string, port: number, request: Buffer, enough: number, clock: Clock): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    let answer = Buffer.alloc(0);
    const settle = (result: Buffer | undefined) => {
      clock.clear(timer);
      socket.destroy();
      resolve(result);
    };
    const timer = clock.setTimer(() => settle(undefined), ANSWER_LIMIT_MS);
    socket.on('connect', () => socket.write(request));
    socket.on('data', (chunk) => {
      answer = Buffer.concat([answer, chunk]);
      if (answer.length >= enough) settle(answer);
    });
    socket.on('error', () => settle(undefined));
    socket.on('close', () => settle(undefined));
  });
}
