import type { ServerResponse } from 'node:http';
import type { Clock } from '../../lib/clock.ts';

/** More than this many tabs is a mistake or an attack; the case's own screen must not suffer from it. */
export const MOST_STREAMS = 200;
/** A client with this much unsent gets nothing new until it has caught up; then only the newest of each value. */
export const PAUSE_ABOVE_BYTES = 256 * 1024;
/** A client with this much unsent, or paused for this long, is let go: its browser comes back for a snapshot. */
export const DROP_ABOVE_BYTES = 2 * 1024 * 1024;
export const DROP_AFTER_MS = 30_000;
/** A page that gets no byte for longer than this and a bit shows its values as old. */
const TIME_EVERY_MS = 1000;
/** For proxies that close what looks idle, and for people with curl. */
const COMMENT_EVERY_MS = 10_000;

/** What of a response the stream needs: tests pass a socket that doesn't drain. */
export type StreamTarget = Pick<ServerResponse, 'write' | 'end' | 'destroy' | 'on' | 'writableLength'>;

interface Client {
  target: StreamTarget;
  /** Keys whose newest value this client has not got yet. */
  stale: Set<string>;
  points: string[];
  lastSentAt: number;
  lastCommentAt: number;
  pausedSince: number | undefined;
}

/** A page that was paused for longer has a gap in its graph; a snapshot would fill it. */
const MOST_POINTS_KEPT = 60;

/**
 * Server-sent events for many tabs from one set of values: a snapshot first, then what changed. Nothing is queued for a
 * slow client but the names of what it lacks.
 */
export class StreamHub {
  readonly #clock: Clock;
  readonly #snapshotExtras: () => object;
  readonly #values = new Map<string, string>();
  readonly #clients = new Set<Client>();
  #lastId = 0;

  /** `snapshotExtras` adds what only a snapshot carries: build, history, arrivals. */
  constructor({ clock, snapshotExtras }: { clock: Clock; snapshotExtras: () => object }) {
    this.#clock = clock;
    this.#snapshotExtras = snapshotExtras;
  }

  get size(): number {
    return this.#clients.size;
  }

  get full(): boolean {
    return this.#clients.size >= MOST_STREAMS;
  }

  add(target: StreamTarget): void {
    const now = this.#clock.monotonicMs();
    const client: Client = {
      target,
      stale: new Set(),
      points: [],
      lastSentAt: now,
      lastCommentAt: now,
      pausedSince: undefined,
    };
    this.#clients.add(client);
    target.on('close', () => this.#clients.delete(client));
    target.on('error', () => this.#drop(client));
    target.write('retry: 1000\n\n');
    const extras = JSON.stringify({ at: this.#clock.now(), ...this.#snapshotExtras() });
    this.#send(client, 'snapshot', `${extras.slice(0, -1)},"values":${this.#valuesOf(this.#values.keys())}}`);
  }

  /** Remembers the newest value of a key; flush() sends it. */
  set(key: string, value: object): void {
    const json = JSON.stringify(value);
    if (this.#values.get(key) === json) return;
    this.#values.set(key, json);
    for (const client of this.#clients) client.stale.add(key);
  }

  /** A point of a series: kept in order for each client, up to a minute of them. */
  point(point: object): void {
    const json = JSON.stringify(point);
    for (const client of this.#clients) {
      client.points.push(json);
      if (client.points.length > MOST_POINTS_KEPT) client.points.shift();
    }
  }

  flush(): void {
    for (const client of this.#clients) this.#flushClient(client);
  }

  close(): void {
    for (const client of this.#clients) client.target.end();
    this.#clients.clear();
  }

  #flushClient(client: Client): void {
    const now = this.#clock.monotonicMs();
    const waitingBytes = client.target.writableLength;
    if (waitingBytes > PAUSE_ABOVE_BYTES) {
      client.pausedSince ??= now;
      if (waitingBytes > DROP_ABOVE_BYTES || now - client.pausedSince > DROP_AFTER_MS) this.#drop(client);
      return;
    }
    client.pausedSince = undefined;
    if (client.stale.size > 0 || client.points.length > 0) {
      const points = client.points.length > 0 ? `,"points":[${client.points}]` : '';
      this.#send(client, 'change', `{"at":${this.#clock.now()},"values":${this.#valuesOf(client.stale)}${points}}`);
      client.stale.clear();
      client.points = [];
    } else if (now - client.lastSentAt >= TIME_EVERY_MS) {
      this.#send(client, 'change', `{"at":${this.#clock.now()},"values":{}}`);
    }
    if (now - client.lastCommentAt >= COMMENT_EVERY_MS) {
      client.lastCommentAt = now;
      client.target.write(': still here\n\n');
    }
  }

  #valuesOf(keys: Iterable<string>): string {
    const pairs: string[] = [];
    for (const key of keys) pairs.push(`${JSON.stringify(key)}:${this.#values.get(key)}`);
    return `{${pairs.join(',')}}`;
  }

  #send(client: Client, event: string, data: string): void {
    this.#lastId += 1;
    client.lastSentAt = this.#clock.monotonicMs();
    client.target.write(`id: ${this.#lastId}\nevent: ${event}\ndata: ${data}\n\n`);
  }

  #drop(client: Client): void {
    this.#clients.delete(client);
    client.target.destroy();
  }
}
