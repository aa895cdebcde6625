import { runTool } from '../../test/helpers/run-tool.ts';

/**
 * Bytes that a process has sent to a port over TCP, requests and their framing included, as the kernel counts them per
 * connection. A connection that has ended is counted as far as it was seen.
 */
export class SentBytes {
  readonly #pid: number;
  readonly #port: number;
  readonly #byConnection = new Map<string, number>();

  constructor(pid: number, port: number) {
    this.#pid = pid;
    this.#port = port;
  }

  async total(): Promise<number> {
    for (const line of (await runTool('ss', ['-tinpHO', `dport = :${this.#port}`])).split('\n')) {
      const sent = /\bbytes_sent:(\d+)/.exec(line)?.[1];
      if (sent === undefined || !line.includes(`pid=${this.#pid},`)) continue;
      this.#byConnection.set(line.trim().split(/\s+/)[3]!, Number(sent));
    }
    return [...this.#byConnection.values()].reduce((sum, bytes) => sum + bytes, 0);
  }
}
