import type { Connection } from './connection.ts';

/** Anchors never change, so each is asked for once; beyond this many they are asked for again. */
const MAX_REMEMBERED = 10_000;

/** The wall time of a boot whose clock was not set: the first proposal of any collector is kept. */
export class BootAnchors {
  readonly #connection: Connection;
  readonly #table: string;
  readonly #known = new Map<string, number>();

  constructor(connection: Connection, keyspace: string) {
    this.#connection = connection;
    this.#table = `${keyspace}.boot_anchors`;
  }

  async anchor(clusterId: string, nodeId: string, bootId: string, proposedAt: number): Promise<number> {
    const name = JSON.stringify([clusterId, nodeId, bootId]);
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const insert = `INSERT INTO ${this.#table} (cluster_id, node_id, boot_id, anchored_at) VALUES (?, ?, ?, ?) IF NOT EXISTS`;
    const result = await this.#connection.execute(insert, [clusterId, nodeId, bootId, proposedAt]);
    // Not applied: the answer holds the row that was first. A retry whose first try went through finds its own.
    const anchoredAt = result.wasApplied() ? proposedAt : Number(result.first()?.get('anchored_at'));
    if (this.#known.size >= MAX_REMEMBERED) this.#known.clear();
    this.#known.set(name, anchoredAt);
    return anchoredAt;
  }
}
