import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../lib/clock.ts';
import { plainLog } from '../../lib/log.ts';
import { CassandraCluster } from '../../provision/stack/cassandra-cluster.ts';
import { LOCAL_DATA_CENTER } from '../../provision/stack/cassandra-node.ts';
import { cacheDirectory, fetchJars } from '../../provision/stack/fetch.ts';
import { requireJava } from '../../provision/stack/java.ts';
import { KafkaCluster } from '../../provision/stack/kafka-cluster.ts';
import { readVersions } from '../../provision/stack/versions.ts';
import { freePort } from './free-port.ts';
import type { Teardown } from './temp.ts';

export { freePort } from './free-port.ts';
export { randomKeyspace, randomName, type Teardown, tempDir } from './temp.ts';
export { until } from './until.ts';

const STANDSTILL_LIMIT_MS = 10_000;

export interface KafkaAddress {
  brokers: string[];
}

export interface CassandraAddress {
  contactPoints: string[];
  port: number;
  localDataCenter: string;
}

/** What a fault test does to the processes of a server; `index` counts its nodes from 0. */
export interface Faults {
  /** Process ids of the nodes that run. */
  readonly pids: number[];
  /** SIGKILL; resolves when it is gone. */
  kill(index?: number): Promise<void>;
  /** SIGTERM; resolves when it is gone. */
  stop(index?: number): Promise<void>;
  /** Starts a node that was killed or stopped, on its old data and port; resolves when it answers. */
  restart(index?: number): Promise<void>;
  /** SIGSTOP: connections stay open and nobody answers. Returns when all threads of the node stand still. */
  pause(index?: number): void;
  /** SIGCONT. */
  resume(index?: number): void;
}

/** The suite's Kafka, shared by all its tests: use random topics and groups. Where there is none, one of its own. */
export async function kafkaForTest(t: Teardown): Promise<KafkaAddress> {
  const shared = process.env.ERICHT_TEST_KAFKA;
  return shared ? (JSON.parse(shared) as KafkaAddress) : ownKafka(t);
}

/** The suite's Cassandra, shared by all its tests: use a random keyspace. Where there is none, one of its own. */
export async function cassandraForTest(t: Teardown): Promise<CassandraAddress> {
  const shared = process.env.ERICHT_TEST_CASSANDRA;
  return shared ? (JSON.parse(shared) as CassandraAddress) : ownCassandra(t);
}

/** A private Kafka of one broker, or of three with replication 3 and min.insync.replicas 2. Ends with the test. */
export async function ownKafka(t: Teardown, { nodes = 1 }: { nodes?: 1 | 3 } = {}): Promise<KafkaAddress & Faults> {
  const jars = await jarsOf('kafka');
  const ports: { client: number; controller: number }[] = [];
  for (let n = 0; n < nodes; n += 1) ports.push({ client: await freePort(), controller: await freePort() });
  const directory = await mkdtemp(join(tmpdir(), 'ericht-kafka-'));
  const common = { heapMegabytes: 256, quickStart: true, clock: systemClock };
  const cluster = new KafkaCluster({ host: '127.0.0.1', ports, directory, jars, ...common });
  t.teardown(() => destroy(cluster, directory));
  await cluster.start();
  return withFaults({ brokers: cluster.brokers }, cluster);
}

/** A private Cassandra of one node. Ends with the test. */
export async function ownCassandra(t: Teardown): Promise<CassandraAddress & Faults> {
  const jars = await jarsOf('cassandra');
  const directory = await mkdtemp(join(tmpdir(), 'ericht-cassandra-'));
  const cluster = new CassandraCluster({
    hosts: ['127.0.0.1'],
    nativePort: await freePort(),
    storagePort: await freePort(),
    directory,
    jars,
    heapMegabytes: 512,
    quickStart: true,
    clock: systemClock,
  });
  t.teardown(() => destroy(cluster, directory));
  await cluster.start();
  const { contactPoints, nativePort: port } = cluster;
  return withFaults({ contactPoints, port, localDataCenter: LOCAL_DATA_CENTER }, cluster);
}

interface Cluster {
  readonly nodes: readonly {
    readonly pid: number | undefined;
    launch(): Promise<void>;
    untilReady(): Promise<void>;
    stop(): Promise<void>;
    kill(): Promise<void>;
    pause(): void;
    resume(): void;
  }[];
  kill(): Promise<void>;
}

function withFaults<A extends object>(address: A, cluster: Cluster): A & Faults {
  const node = (index: number) => {
    const found = cluster.nodes[index];
    if (!found) throw new Error(`there is no node ${index}, only ${cluster.nodes.length}`);
    return found;
  };
  return {
    ...address,
    get pids() {
      return cluster.nodes.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
    },
    kill: (index = 0) => node(index).kill(),
    stop: (index = 0) => node(index).stop(),
    async restart(index = 0) {
      await node(index).launch();
      await node(index).untilReady();
    },
    pause(index = 0) {
      const { pid } = node(index);
      node(index).pause();
      if (pid !== undefined) untilStandstill(pid);
    },
    resume: (index = 0) => node(index).resume(),
  };
}

/**
 * Waits until SIGSTOP has reached every thread: on a busy machine one that is just being run answers a few requests
 * more. Holds up this whole process, so that nothing is sent meanwhile. Without /proc there is no telling.
 */
function untilStandstill(pid: number): void {
  const folder = `/proc/${pid}/task`;
  const until = systemClock.monotonicMs() + STANDSTILL_LIMIT_MS;
  for (;;) {
    const running = existsSync(folder) ? readdirSync(folder).filter((thread) => !standsStill(folder, thread)) : [];
    if (running.length === 0) return;
    if (systemClock.monotonicMs() > until) {
      throw new Error(`${running.length} threads of ${pid} run ${STANDSTILL_LIMIT_MS} ms after SIGSTOP`);
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
  }
}

/** A thread's state stands behind its name, which may hold anything. */
function standsStill(folder: string, thread: string): boolean {
  try {
    return /\) [TXZ] [^)]*$/.test(readFileSync(join(folder, thread, 'stat'), 'utf8'));
  } catch {
    // It has just ended.
    return true;
  }
}

/** The data goes with it, so nothing needs to be flushed. */
async function destroy(cluster: Cluster, directory: string): Promise<void> {
  await cluster.kill();
  await rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}

/** Fetches what is missing; the first time this takes as long as the download. */
async function jarsOf(product: 'kafka' | 'cassandra'): Promise<string> {
  const versions = await readVersions();
  await requireJava(versions.java.minimum, systemClock);
  const cacheDir = cacheDirectory(process.env, homedir());
  return fetchJars(product, { versions, cacheDir, clock: systemClock, log: plainLog('info', process.stderr) });
}
