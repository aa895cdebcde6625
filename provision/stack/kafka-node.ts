import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import { ErichtError } from '../../lib/errors.ts';
import { makeDirectory } from '../../lib/make-directory.ts';
import { runCommand } from './command.ts';
import { type KafkaPeer, renderKafkaProperties } from './kafka-config.ts';
import { brokersReady } from './probe.ts';
import { ServerProcess } from './server-process.ts';

export interface KafkaNodeOptions {
  self: KafkaPeer;
  peers: KafkaPeer[];
  /** Same for all peers: 22 characters of base64url. */
  clusterId: string;
  /** Configuration, data and log of this broker; kept from start to start. */
  directory: string;
  /** Folder of fetchJars('kafka'). */
  jars: string;
  heapMegabytes: number;
  /** Compile only quickly: starts in two thirds of the time, and runs slower under load. */
  quickStart: boolean;
  clock: Clock;
}

const START_LIMIT_MS = 120_000;
const STOP_LIMIT_MS = 20_000;
const QUIET = '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn';

/** One Kafka process, broker and controller in one. start() may be called again after stop() or kill(). */
export class KafkaNode {
  readonly #options: KafkaNodeOptions;
  readonly #process: ServerProcess;
  /** Unset by stop() and kill(), so that a launch that is still formatting starts nothing afterwards. */
  #wanted = false;

  constructor(options: KafkaNodeOptions) {
    this.#options = options;
    this.#process = new ServerProcess({
      name: `kafka-${options.self.id}`,
      command: 'java',
      args: this.#serverArguments(options),
      logFile: join(options.directory, 'server.log'),
      clock: options.clock,
    });
  }

  /** host:port for clients. */
  get address(): string {
    return `${this.#clientHost}:${this.#options.self.clientPort}`;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Formats the data folder if it is new, and starts the process; untilReady() waits for it. */
  async launch(): Promise<void> {
    const { directory, self, peers } = this.#options;
    this.#wanted = true;
    await makeDirectory(directory);
    await writeFile(this.#file, renderKafkaProperties({ self, peers, dataDir: join(directory, 'data') }));
    await this.#format();
    if (this.#wanted) this.#process.start();
  }

  /** Resolves when this broker is admitted to the cluster and knows of at least `brokers`. */
  untilReady(brokers = 1): Promise<void> {
    const { self, clock } = this.#options;
    const ready = async () => (await brokersReady(this.#clientHost, self.clientPort, clock)) >= brokers;
    return this.#process.untilReady(ready, START_LIMIT_MS);
  }

  /** Rejects with SERVER_DIED if it ends by itself; resolves when it was stopped or killed here. */
  async watch(): Promise<void> {
    await this.#process.watch();
  }

  stop(): Promise<void> {
    this.#wanted = false;
    return this.#process.stop(STOP_LIMIT_MS);
  }

  kill(): Promise<void> {
    this.#wanted = false;
    return this.#process.kill();
  }

  pause(): void {
    this.#process.signal('SIGSTOP');
  }

  resume(): void {
    this.#process.signal('SIGCONT');
  }

  get #clientHost(): string {
    const { host, clientHost } = this.#options.self;
    return clientHost ?? host;
  }

  get #file(): string {
    return join(this.#options.directory, 'server.properties');
  }

  #serverArguments({ jars, heapMegabytes, quickStart, directory }: KafkaNodeOptions): string[] {
    return [
      ...(quickStart ? ['-XX:TieredStopAtLevel=1'] : []),
      `-Xms${Math.min(128, heapMegabytes)}m`,
      `-Xmx${heapMegabytes}m`,
      '-XX:+UseG1GC',
      '-XX:MaxGCPauseMillis=20',
      '-XX:+ExitOnOutOfMemoryError',
      QUIET,
      '-cp',
      join(jars, '*'),
      'kafka.Kafka',
      join(directory, 'server.properties'),
    ];
  }

  async #format(): Promise<void> {
    const { directory, jars, clusterId, clock } = this.#options;
    const formatted = await access(join(directory, 'data', 'meta.properties')).then(
      () => true,
      () => false,
    );
    if (formatted) return;
    const args = ['-XX:TieredStopAtLevel=1', '-Xmx128m', QUIET, '-cp', join(jars, '*')];
    args.push('kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', this.#file);
    const { exitCode, output } = await runCommand('java', args, { limitMs: START_LIMIT_MS, clock, install: '' });
    if (exitCode === 0) return;
    throw new ErichtError('SERVER_DIED', { what: `Kafka's data folder ${directory} was not formatted`, why: output });
  }
}
