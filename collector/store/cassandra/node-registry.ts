import type { Connection } from './connection.ts';
import { storeFailure } from './failure.ts';
import { eachInFlight } from './in-flight.ts';

/** Names remembered as registered; beyond this they are simply registered again. */
const MAX_REMEMBERED = 10_000;
const IN_FLIGHT = 16;

/** Keeps nodes_by_cluster: each name is written once per process, before anything else of its node. */
export class NodeRegistry {
  readonly #connection: Connection;
  readonly #insert: string;
  readonly #known = new Set<string>();

  constructor(connection: Connection, keyspace: string) {
    this.#connection = connection;
    this.#insert = `INSERT INTO ${keyspace}.nodes_by_cluster (cluster_id, node_id) VALUES (?, ?)`;
  }

  async add(nodes: { cluster_id: string; node_id: string }[]): Promise<void> {
    const news = new Map<string, unknown[]>();
    for (const { cluster_id, node_id } of nodes) {
      const name = `${cluster_id}/${node_id}`;
      if (!this.#known.has(name)) news.set(name, [cluster_id, node_id]);
    }
    await eachInFlight([...news], IN_FLIGHT, async ([name, params]) => {
      try {
        await this.#connection.write([{ query: this.#insert, params }]);
      } catch (error) {
        throw storeFailure(error, this.#connection.where);
      }
      if (this.#known.size >= MAX_REMEMBERED) this.#known.clear();
      this.#known.add(name);
    });
  }
}
