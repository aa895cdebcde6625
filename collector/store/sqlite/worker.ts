import { parentPort, workerData } from 'node:worker_threads';
import { toErichtError } from '../../../lib/errors.ts';
import { plainError, type ThreadReply, type ThreadRequest, type ThreadSettings } from './protocol.ts';
import { SqliteReader } from './reader.ts';
import { SqliteWriter } from './writer.ts';

/** Entry of both worker threads: answers each message with the result of the method it names. */
if (parentPort) {
  const port = parentPort;
  const settings = workerData as ThreadSettings;
  const room = settings.role === 'writer' ? new SqliteWriter(settings) : new SqliteReader(settings);
  const methods = room as unknown as Record<string, (...args: unknown[]) => unknown>;
  port.on('message', ({ id, method, args }: ThreadRequest) => {
    let reply: ThreadReply;
    try {
      reply = { id, result: methods[method]!(...args) };
    } catch (error) {
      reply = { id, error: plainError(toErichtError(error, 'the store failed')) };
    }
    port.postMessage(reply);
    // Without a listener the thread has nothing left to do and ends.
    if (method === 'close') port.close();
  });
}
