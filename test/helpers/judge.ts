import { readFile } from 'node:fs/promises';
import cassandra from 'cassandra-driver';
import type { CassandraAddress } from './stack.ts';
import { within } from './until.ts';

const READ_LIMIT_MS = 60_000;
const CLOSE_LIMIT_MS = 10_000;

/** What the publishers' ledger and the tables say, compared without a line of our own code. */
export interface Judgement {
  acknowledged: number;
  rows: number;
  lost: string[];
  duplicates: string[];
}

/** "node/run/seq" of every acknowledged report. The last line may be cut where a publisher was killed. */
export async function readLedger(file: string): Promise<Set<string>> {
  const lines = (await readFile(file, 'utf8')).split('\n').slice(0, -1);
  return new Set(
    lines.map((line) => {
      const { nodeId, runId, seq } = JSON.parse(line) as { nodeId: string; runId: string; seq: number };
      return `${nodeId}/${runId}/${seq}`;
    }),
  );
}

/** "node/run/seq" of every row of the raw table, as often as it is there. */
export async function readRawRows(client: cassandra.Client, keyspace: string): Promise<string[]> {
  const query = `SELECT node_id, run_id, seq FROM ${keyspace}.node_health_by_node_date`;
  const rows: string[] = [];
  const readAll = async () => {
    const stream: unknown = client.stream(query, [], { prepare: true, fetchSize: 5000, autoPage: true });
    for await (const row of stream as AsyncIterable<cassandra.types.Row>) {
      rows.push(`${row.node_id}/${row.run_id}/${row.seq}`);
    }
    return rows;
  };
  const late = () => `the rows of ${keyspace} were not read within ${READ_LIMIT_MS} ms, only ${rows.length} of them`;
  return within(READ_LIMIT_MS, readAll(), late);
}

export function rawClient(t: { teardown(undo: () => unknown): void }, address: CassandraAddress): cassandra.Client {
  const { contactPoints, port, localDataCenter } = address;
  const client = new cassandra.Client({ contactPoints, protocolOptions: { port }, localDataCenter });
  const late = () => `the judge's connections to Cassandra were not closed within ${CLOSE_LIMIT_MS} ms`;
  t.teardown(() => within(CLOSE_LIMIT_MS, client.shutdown(), late));
  return client;
}

export function judge(ledger: Set<string>, rows: string[]): Judgement {
  const stored = new Set<string>();
  const duplicates = rows.filter((row) => stored.size === stored.add(row).size);
  const lost = [...ledger].filter((name) => !stored.has(name));
  return { acknowledged: ledger.size, rows: rows.length, lost, duplicates };
}
