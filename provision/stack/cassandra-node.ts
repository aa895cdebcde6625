import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Clock } from '../../lib/clock.ts';
import { ErichtError } from '../../lib/errors.ts';
import { makeDirectory } from '../../lib/make-directory.ts';
import { LOGBACK_XML, renderCassandraYaml } from './cassandra-config.ts';
import { cassandraJvmOptions } from './cassandra-jvm.ts';
import { cassandraReady } from './probe.ts';
import { ServerProcess } from './server-process.ts';

export interface CassandraNodeOptions {
  name: string;
  host: string;
  nativePort: number;
  storagePort: number;
  seeds: string[];
  initialToken?: string | undefined;
  /** For nodetool; it is open to every user of this machine, so there is none unless it is named. */
  jmxPort?: number | undefined;
  /** Configuration, data and log of this node; kept from start to start. */
  directory: string;
  /** Folder of fetchJars('cassandra'). */
  jars: string;
  heapMegabytes: number;
  /** Compile only quickly: starts in two thirds of the time, and runs slower under load. */
  quickStart: boolean;
  clock: Clock;
}

const START_LIMIT_MS = 180_000;
const STOP_LIMIT_MS = 30_000;

/** The name that SimpleSnitch gives to the only data centre. */
export const LOCAL_DATA_CENTER = 'datacenter1';

/** One Cassandra process. start() may be called again after stop() or kill(). */
export class CassandraNode {
  readonly #options: CassandraNodeOptions;
  #process: ServerProcess | undefined;

  constructor(options: CassandraNodeOptions) {
    this.#options = options;
  }

  get host(): string {
    return this.#options.host;
  }

  get nativePort(): number {
    return this.#options.nativePort;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  async launch(): Promise<void> {
    const { directory, name, host, nativePort, storagePort, seeds, initialToken, clock } = this.#options;
    const conf = join(directory, 'conf');
    await makeDirectory(conf);
    const dataDir = join(directory, 'data');
    const config = { clusterName: 'ericht', host, nativePort, storagePort, seeds, initialToken, dataDir };
    await writeFile(join(conf, 'cassandra.yaml'), renderCassandraYaml(config));
    await writeFile(join(conf, 'logback.xml'), LOGBACK_XML);
    this.#process ??= new ServerProcess({
      name,
      command: 'java',
      args: await this.#serverArguments(conf),
      logFile: join(directory, 'server.log'),
      clock,
    });
    this.#process.start();
  }

  /** Resolves when clients are taken. */
  async untilReady(): Promise<void> {
    const { host, nativePort, clock } = this.#options;
    await this.#process?.untilReady(() => cassandraReady(host, nativePort, clock), START_LIMIT_MS);
  }

  /** Rejects with SERVER_DIED if it ends by itself; resolves when it was stopped or killed here. */
  async watch(): Promise<void> {
    await this.#process?.watch();
  }

  async stop(): Promise<void> {
    await this.#process?.stop(STOP_LIMIT_MS);
  }

  async kill(): Promise<void> {
    await this.#process?.kill();
  }

  pause(): void {
    this.#process?.signal('SIGSTOP');
  }

  resume(): void {
    this.#process?.signal('SIGCONT');
  }

  async #serverArguments(conf: string): Promise<string[]> {
    const { jars, directory, heapMegabytes, quickStart, jmxPort } = this.#options;
    const jamm = (await readdir(jars)).find((name) => /^jamm-.*\.jar$/.test(name));
    if (!jamm) throw new ErichtError('DOWNLOAD_FAILED', { what: `no jamm in ${jars}`, next: 'remove that folder' });
    return [
      ...cassandraJvmOptions({ heapMegabytes, quickStart }),
      `-javaagent:${join(jars, jamm)}`,
      `-Dcassandra.config=${pathToFileURL(join(conf, 'cassandra.yaml'))}`,
      `-Dcassandra.storagedir=${join(directory, 'data')}`,
      `-Dlogback.configurationFile=${pathToFileURL(join(conf, 'logback.xml'))}`,
      ...(jmxPort === undefined ? [] : [`-Dcassandra.jmx.local.port=${jmxPort}`]),
      '-Dcassandra-foreground=yes',
      // Alone or with fixed tokens there is nobody to wait for.
      '-Dcassandra.skip_wait_for_gossip_to_settle=0',
      '-Dcassandra.ring_delay_ms=100',
      '-Dcassandra.superuser_setup_delay_ms=0',
      '-cp',
      `${conf}:${join(jars, '*')}`,
      'org.apache.cassandra.service.CassandraDaemon',
    ];
  }
}
