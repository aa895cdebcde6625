import { join, resolve } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import { ErichtError, reasonOf } from '../../lib/errors.ts';
import { LockFile } from '../../lib/lock-file.ts';
import type { Log } from '../../lib/log.ts';
import { CassandraCluster } from './cassandra-cluster.ts';
import { LOCAL_DATA_CENTER } from './cassandra-node.ts';
import { fetchJars } from './fetch.ts';
import { requireJava } from './java.ts';
import { KafkaCluster } from './kafka-cluster.ts';
import { requireFree, requireOwnAddress } from './ports.ts';
import { readVersions } from './versions.ts';

export interface StackPorts {
  kafka: number;
  kafkaController: number;
  cassandra: number;
  cassandraStorage: number;
  cassandraJmx?: number | undefined;
}

export interface StackOptions {
  directory: string;
  cacheDir: string;
  /** An address of this machine on which Kafka takes clients; loopback if not given. */
  kafkaListen?: string | undefined;
  ports: StackPorts;
  clock: Clock;
  log: Log;
}

const HOST = '127.0.0.1';

/** One Kafka broker and one Cassandra node from their Maven artifacts, on loopback but for what is asked for. */
export class Stack {
  readonly #options: StackOptions;
  readonly #lock: LockFile;
  #kafka: KafkaCluster | undefined;
  #cassandra: CassandraCluster | undefined;
  #stopping = false;

  constructor(options: StackOptions) {
    this.#options = { ...options, directory: resolve(options.directory) };
    this.#lock = new LockFile(this.#options.directory, options.clock);
  }

  get directory(): string {
    return this.#options.directory;
  }

  get kafka(): { brokers: string[]; pids: number[] } {
    return { brokers: this.#kafka?.brokers ?? [], pids: pidsOf(this.#kafka?.nodes) };
  }

  get cassandra(): { contactPoints: string[]; port: number; localDataCenter: string; pids: number[] } {
    const { ports } = this.#options;
    const pids = pidsOf(this.#cassandra?.nodes);
    return { contactPoints: [HOST], port: ports.cassandra, localDataCenter: LOCAL_DATA_CENTER, pids };
  }

  async start(): Promise<void> {
    const { directory, cacheDir, kafkaListen, ports, clock, log } = this.#options;
    await this.#checkPorts();
    await this.#takeDirectory();
    const versions = await readVersions();
    await requireJava(versions.java.minimum, clock);
    const fetching = { versions, cacheDir, clock, log };
    const kafkaJars = await fetchJars('kafka', fetching);
    const cassandraJars = await fetchJars('cassandra', fetching);
    if (this.#stopping) return;
    this.#kafka = new KafkaCluster({
      host: HOST,
      clientHost: kafkaListen,
      ports: [{ client: ports.kafka, controller: ports.kafkaController }],
      directory: join(directory, 'kafka'),
      jars: kafkaJars,
      heapMegabytes: 512,
      quickStart: true,
      clock,
    });
    this.#cassandra = new CassandraCluster({
      hosts: [HOST],
      nativePort: ports.cassandra,
      storagePort: ports.cassandraStorage,
      jmxPort: ports.cassandraJmx,
      directory: join(directory, 'cassandra'),
      jars: cassandraJars,
      heapMegabytes: 1024,
      quickStart: true,
      clock,
    });
    log.info({}, 'Starting Kafka and Cassandra');
    const starts = await Promise.allSettled([this.#kafka.start(), this.#cassandra.start()]);
    const failed = starts.find((start) => start.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /** Rejects with SERVER_DIED when a server ends by itself; resolves after stop() or kill(). Once start() is done. */
  async watch(): Promise<void> {
    const nodes = [...(this.#kafka?.nodes ?? []), ...(this.#cassandra?.nodes ?? [])];
    await Promise.all(nodes.map((node) => node.watch()));
  }

  /** Idempotent; Kafka flushes its logs and Cassandra drains first. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all([this.#kafka?.stop(), this.#cassandra?.stop()]);
    await this.#lock.release();
  }

  async kill(): Promise<void> {
    this.#stopping = true;
    await Promise.all([this.#kafka?.kill(), this.#cassandra?.kill()]);
    await this.#lock.release();
  }

  /** Before anything is fetched: a folder that can't be had is told at once. Cassandra keeps no second one out itself. */
  async #takeDirectory(): Promise<void> {
    try {
      await this.#lock.acquire();
    } catch (cause) {
      if (cause instanceof ErichtError) throw cause;
      throw new ErichtError('STATE_DIR_UNUSABLE', {
        what: `cannot use ${this.#options.directory}`,
        why: reasonOf(cause),
        next: 'name another one with --dir',
        cause,
      });
    }
  }

  async #checkPorts(): Promise<void> {
    const { ports, kafkaListen = HOST } = this.#options;
    requireOwnAddress(kafkaListen, '--kafka-listen');
    await requireFree(kafkaListen, ports.kafka, 'Kafka', '--kafka-port');
    await requireFree(HOST, ports.kafkaController, "Kafka's controller", '--kafka-controller-port');
    await requireFree(HOST, ports.cassandra, 'Cassandra', '--cassandra-port');
    await requireFree(HOST, ports.cassandraStorage, "Cassandra's storage", '--cassandra-storage-port');
  }
}

function pidsOf(nodes: readonly { pid: number | undefined }[] = []): number[] {
  return nodes.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
}
