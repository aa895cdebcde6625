/** Where a test file stands, from what it has printed and from Node's report on its process. */

const SUBTEST = /^((?: {4})*)# Subtest: (.*)$/;
const POINT = /^((?: {4})*)(?:not )?ok\b\s*\d*\s*-?\s*(.*?)(?:\s+#.*)?$/;

/** What tap says in place of a test that is late; at the top level it stands for the file as a whole. */
export const LATE = 'timeout!';

/** Follows the output of a test file as it comes, in pieces of any size. */
export class Standing {
  readonly #running: string[] = [];
  #lastEnded: string | undefined;
  #rest = '';

  add(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const begun = SUBTEST.exec(line);
      const ended = begun ? null : POINT.exec(line);
      if (begun) this.#running.splice(depthOf(begun[1]), Number.POSITIVE_INFINITY, begun[2] ?? '');
      if (ended) this.#running.splice(depthOf(ended[1]));
      if (ended?.[1] === '' && ended[2] !== LATE) this.#lastEnded = ended[2];
    }
  }

  /** Names of the tests that have begun and not ended, the outermost first. */
  get running(): readonly string[] {
    return this.#running;
  }

  /** In words. tap tells that a test has begun only with the first thing that the test itself says. */
  toString(): string {
    if (this.#running.length > 0) return `it was running: ${this.#running.join(' > ')}`;
    if (this.#lastEnded === undefined) return 'none of its tests had said anything';
    return `it was past: ${this.#lastEnded}`;
  }
}

function depthOf(indent = ''): number {
  return indent.length / 4;
}

interface Handle {
  type: string;
  is_active: boolean;
  is_referenced: boolean;
  pid?: number;
  firesInMsFromNow?: number;
  remoteEndpoint?: { host: string; port: number } | null;
  localEndpoint?: { host: string; port: number } | null;
}

/** What holds an event loop, by Node's report on its process: "timer due in 200 ms, tcp to 127.0.0.1:9042". */
export function holdsOf(report: string): string {
  const { libuv } = JSON.parse(report) as { libuv: Handle[] };
  const holding = libuv.filter((handle) => handle.is_active && handle.is_referenced).map(describe);
  return holding.length > 0 ? holding.join(', ') : 'nothing';
}

function describe({ type, pid, firesInMsFromNow, remoteEndpoint, localEndpoint }: Handle): string {
  if (pid !== undefined) return `${type} ${pid}`;
  if (firesInMsFromNow !== undefined) return `${type} due in ${firesInMsFromNow} ms`;
  if (remoteEndpoint) return `${type} to ${remoteEndpoint.host}:${remoteEndpoint.port}`;
  return localEndpoint ? `${type} on ${localEndpoint.host}:${localEndpoint.port}` : type;
}
