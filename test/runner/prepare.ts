import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../lib/clock.ts';
import { reasonOf } from '../../lib/errors.ts';
import { plainLog } from '../../lib/log.ts';
import { cacheDirectory } from '../../provision/stack/fetch.ts';
import { Stack } from '../../provision/stack/stack.ts';
import { findProgram, installPackages, isThere, requireProgram, whyNoInstalling } from '../helpers/debian-package.ts';
import { freePort } from '../helpers/free-port.ts';
import { boardImage } from '../helpers/vm/board-image.ts';
import { makePayload } from '../helpers/vm/board-payload.ts';
import type { BoardDisks } from '../helpers/vm/board-vm.ts';
import type { Need } from './suites.ts';

/** Names of environment variables by which tests learn what was set up for them. */
export type Prepared = { env: Record<string, string> } | { missing: string };

/** Sets up what suites need, each thing once however many suites need it, and takes it down at the end. */
export class Preparations {
  readonly #say: (line: string) => void;
  readonly #done = new Map<Need, Promise<Prepared>>();
  readonly #folders: string[] = [];
  #stack: Stack | undefined;

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  prepare(need: Need): Promise<Prepared> {
    const known = this.#done.get(need);
    if (known) return known;
    const means = {
      stack: () => this.#startStack(),
      chromium: findChromium,
      faketime: findFaketime,
      board: () => this.#makeBoard(),
    };
    const preparing = means[need]().catch((error): Prepared => ({ missing: `${need}: ${reasonOf(error)}` }));
    this.#done.set(need, preparing);
    return preparing;
  }

  async stop(): Promise<void> {
    // Its data goes too, so there is nothing to flush.
    await this.#stack?.kill();
    for (const folder of this.#folders.splice(0)) {
      await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    }
  }

  async #newFolder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'ericht-suites-'));
    this.#folders.push(folder);
    return folder;
  }

  async #startStack(): Promise<Prepared> {
    const { ERICHT_TEST_KAFKA, ERICHT_TEST_CASSANDRA } = process.env;
    if (ERICHT_TEST_KAFKA && ERICHT_TEST_CASSANDRA) {
      this.#say('  Kafka and Cassandra are those of ERICHT_TEST_KAFKA and ERICHT_TEST_CASSANDRA');
      return { env: { ERICHT_TEST_KAFKA, ERICHT_TEST_CASSANDRA } };
    }
    await requireProgram('java', 'openjdk-17-jre-headless');
    await requireProgram('mvn', 'maven');
    const startedAt = systemClock.monotonicMs();
    this.#stack = new Stack({
      directory: await this.#newFolder(),
      cacheDir: cacheDirectory(process.env, homedir()),
      ports: {
        kafka: await freePort(),
        kafkaController: await freePort(),
        cassandra: await freePort(),
        cassandraStorage: await freePort(),
      },
      clock: systemClock,
      log: plainLog('warn', process.stderr),
    });
    await this.#stack.start();
    const seconds = ((systemClock.monotonicMs() - startedAt) / 1000).toFixed(1);
    this.#say(`  Kafka and Cassandra answer after ${seconds} s`);
    const { kafka, cassandra } = this.#stack;
    const { contactPoints, port, localDataCenter } = cassandra;
    return {
      env: {
        ERICHT_TEST_KAFKA: JSON.stringify({ brokers: kafka.brokers }),
        ERICHT_TEST_CASSANDRA: JSON.stringify({ contactPoints, port, localDataCenter }),
      },
    };
  }

  /** The disks of the VM: the system, kept in the cache, and what of the project runs on it, made anew. */
  async #makeBoard(): Promise<Prepared> {
    const startedAt = systemClock.monotonicMs();
    const disks: BoardDisks = { image: await boardImage(), payload: join(await this.#newFolder(), 'payload.img') };
    await makePayload(disks.payload);
    const seconds = ((systemClock.monotonicMs() - startedAt) / 1000).toFixed(1);
    this.#say(`  the disks of the VM are there after ${seconds} s`);
    return { env: { ERICHT_TEST_BOARD: JSON.stringify(disks) } };
  }
}

async function findChromium(): Promise<Prepared> {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  const named = process.env.ERICHT_TEST_CHROMIUM;
  const found = named ?? (await findProgram(...names)) ?? (await requireProgram('chromium', 'chromium'));
  return { env: { ERICHT_TEST_CHROMIUM: found } };
}

/** A library that gives a program another clock; tests that need it say so. */
async function findFaketime(): Promise<Prepared> {
  const found = (await faketimeLibrary()) ?? (await installed());
  return { env: { ERICHT_TEST_FAKETIME: found } };

  async function installed(): Promise<string> {
    const why = await whyNoInstalling();
    if (why) throw new Error(`libfaketime is not installed, and ${why}`);
    await installPackages('libfaketime');
    const library = await faketimeLibrary();
    if (!library) throw new Error('the package libfaketime holds no library');
    return library;
  }
}

async function faketimeLibrary(): Promise<string | undefined> {
  const folders = ['/usr/lib', ...(await readdir('/usr/lib').catch(() => [])).map((name) => `/usr/lib/${name}`)];
  for (const folder of folders) {
    const file = join(folder, 'faketime', 'libfaketimeMT.so.1');
    if (await isThere(file)) return file;
  }
  return undefined;
}
