import { join } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import { CassandraNode } from './cassandra-node.ts';

export interface CassandraClusterOptions {
  /** One address for each node; all use the same ports, as Cassandra wants it. */
  hosts: string[];
  nativePort: number;
  storagePort: number;
  jmxPort?: number | undefined;
  directory: string;
  jars: string;
  heapMegabytes: number;
  quickStart: boolean;
  clock: Clock;
}

/** Cassandra nodes of one data centre, started at the same time. */
export class CassandraCluster {
  readonly #options: CassandraClusterOptions;
  readonly nodes: readonly CassandraNode[];

  constructor(options: CassandraClusterOptions) {
    this.#options = options;
    const { hosts, directory, jmxPort, ...common } = options;
    this.nodes = hosts.map((host, index) => {
      return new CassandraNode({
        ...common,
        name: `cassandra-${index + 1}`,
        host,
        seeds: hosts,
        initialToken: hosts.length > 1 ? evenToken(index, hosts.length) : undefined,
        jmxPort: jmxPort === undefined ? undefined : jmxPort + index,
        directory: join(directory, `node-${index + 1}`),
      });
    });
  }

  get contactPoints(): string[] {
    return this.#options.hosts;
  }

  get nativePort(): number {
    return this.#options.nativePort;
  }

  async start(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.launch()));
    await Promise.all(this.nodes.map((node) => node.untilReady()));
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
  }

  async kill(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill()));
  }
}

/** Splits the Murmur3 ring, -2^63 to 2^63 - 1, evenly. */
export function evenToken(index: number, count: number): string {
  return String(-(2n ** 63n) + (2n ** 64n / BigInt(count)) * BigInt(index));
}
