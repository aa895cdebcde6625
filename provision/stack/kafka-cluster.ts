import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '../../lib/atomic-file.ts';
import type { Clock } from '../../lib/clock.ts';
import { makeDirectory } from '../../lib/make-directory.ts';
import type { KafkaPeer } from './kafka-config.ts';
import { KafkaNode } from './kafka-node.ts';

export interface KafkaClusterOptions {
  host: string;
  /** Where clients are taken; `host` if not given. */
  clientHost?: string | undefined;
  /** One pair of ports for each broker: one or three. */
  ports: { client: number; controller: number }[];
  directory: string;
  jars: string;
  heapMegabytes: number;
  quickStart: boolean;
  clock: Clock;
}

/** Brokers that know each other. One, or three with every record on two disks before it is acknowledged. */
export class KafkaCluster {
  readonly #options: KafkaClusterOptions;
  #nodes: KafkaNode[] = [];

  constructor(options: KafkaClusterOptions) {
    this.#options = options;
  }

  get brokers(): string[] {
    return this.#nodes.map((node) => node.address);
  }

  get nodes(): readonly KafkaNode[] {
    return this.#nodes;
  }

  async start(): Promise<void> {
    const { host, clientHost, ports, directory, ...common } = this.#options;
    await makeDirectory(directory);
    const clusterId = await clusterIdIn(directory);
    const peers: KafkaPeer[] = ports.map(({ client, controller }, index) => {
      return { id: index + 1, host, clientPort: client, controllerPort: controller, clientHost };
    });
    this.#nodes = peers.map((self) => {
      return new KafkaNode({ ...common, self, peers, clusterId, directory: join(directory, `broker-${self.id}`) });
    });
    await Promise.all(this.#nodes.map((node) => node.launch()));
    await Promise.all(this.#nodes.map((node) => node.untilReady(peers.length)));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.stop()));
  }

  async kill(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.kill()));
  }
}

/** Made at the first start and kept: a broker refuses the data of another cluster. */
async function clusterIdIn(directory: string): Promise<string> {
  const file = join(directory, 'cluster-id');
  const kept = await readFile(file, 'utf8').catch(() => undefined);
  if (kept) return kept.trim();
  // A leading dash would be read as an option by the formatting tool.
  const made = `e${randomBytes(16).toString('base64url').slice(1, 21)}w`;
  await writeFileAtomically(file, `${made}\n`);
  return made;
}
