import { types } from 'cassandra-driver';
import type { PlacedReport } from '../../record.ts';
import type { StoredFacts } from '../port.ts';
import type { Connection } from './connection.ts';
import { storeFailure } from './failure.ts';
import { eachInFlight } from './in-flight.ts';
import type { NodeRegistry } from './node-registry.ts';

const IN_FLIGHT = 32;

interface Entry {
  cluster_id: string;
  node_id: string;
  appendedAt: number;
  /** Orders what was appended within one millisecond; 0 for facts. */
  offset: number;
  json: () => string;
}

/** Writes node_latest and node_facts: one column, written at the append time, so that the newest wins unread. */
export class LatestWriter {
  readonly #connection: Connection;
  readonly #keyspace: string;
  readonly #registry: NodeRegistry;

  constructor(connection: Connection, keyspace: string, registry: NodeRegistry) {
    this.#connection = connection;
    this.#keyspace = keyspace;
    this.#registry = registry;
  }

  writeReports(rows: PlacedReport[]): Promise<void> {
    const entries = rows.map(({ report, appendedAt, offset }) => ({
      cluster_id: report.clusterId,
      node_id: report.nodeId,
      appendedAt,
      offset: Number(offset) || 0,
      json: () => JSON.stringify({ appendedAt, report }),
    }));
    return this.#write('node_latest', entries);
  }

  writeFacts(rows: StoredFacts[]): Promise<void> {
    const entries = rows.map(({ facts, appendedAt }) => ({
      cluster_id: facts.clusterId,
      node_id: facts.nodeId,
      appendedAt,
      offset: 0,
      json: () => JSON.stringify({ appendedAt, facts }),
    }));
    return this.#write('node_facts', entries);
  }

  async #write(table: string, entries: Entry[]): Promise<void> {
    const newest = newestOfEach(entries);
    await this.#registry.add(newest);
    const insert = `INSERT INTO ${this.#keyspace}.${table} (cluster_id, node_id, latest) VALUES (?, ?, ?) USING TIMESTAMP ?`;
    await eachInFlight(newest, IN_FLIGHT, async (entry) => {
      const params = [entry.cluster_id, entry.node_id, entry.json(), writeTime(entry)];
      try {
        await this.#connection.write([{ query: insert, params }]);
      } catch (error) {
        throw storeFailure(error, this.#connection.where);
      }
    });
  }
}

/** Only the newest of each node in this call is worth a write. */
function newestOfEach(entries: Entry[]): Entry[] {
  const newest = new Map<string, Entry>();
  for (const entry of entries) {
    const name = `${entry.cluster_id}/${entry.node_id}`;
    const other = newest.get(name);
    const newer =
      !other ||
      entry.appendedAt > other.appendedAt ||
      (entry.appendedAt === other.appendedAt && entry.offset >= other.offset);
    if (newer) newest.set(name, entry);
  }
  return [...newest.values()];
}

/** Microseconds: the append time in milliseconds, and the offset's last digits among equals. */
function writeTime({ appendedAt, offset }: Entry): types.Long {
  return types.Long.fromNumber(appendedAt)
    .multiply(1000)
    .add(offset % 1000);
}
