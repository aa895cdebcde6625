import type { Readable } from 'node:stream';
import type Dockerode from 'dockerode';
import type { Clock } from '../../lib/clock.ts';
import { withDeadline } from '../../lib/deadline.ts';
import { reasonOf } from '../../lib/errors.ts';
import { EVENT_FILTERS } from './docker-events.ts';

/** A busy engine on a board takes seconds to answer. */
const ANSWER_WITHIN_MS = 5000;

export type SwarmRole = 'manager' | 'worker' | 'none';
/** Its types leave out that these two take options. */
type Client = Omit<Dockerode, 'info' | 'ping'> & {
  info(options: { abortSignal: AbortSignal }): Promise<EngineInfo | undefined>;
  ping(options: { abortSignal: AbortSignal }): Promise<unknown>;
};
interface EngineInfo {
  ServerVersion?: string;
  Swarm?: { LocalNodeState?: string; ControlAvailable?: boolean };
}
export type Inspected = Pick<Dockerode.ContainerInspectInfo, 'Id' | 'Name' | 'Config' | 'State' | 'RestartCount'>;

/** The Docker Engine behind a local socket. No question is waited for longer than 5 s, and none outlives close(). */
export class DockerEngine {
  readonly socketPath: string;
  readonly #clock: Clock;
  readonly #closed = new AbortController();
  #client: Promise<Client> | undefined;

  constructor(socketPath: string, clock: Clock) {
    this.socketPath = socketPath;
    this.#clock = clock;
  }

  async info(): Promise<{ version: string; swarmRole: SwarmRole }> {
    const info = await this.#ask((client, abortSignal) => client.info({ abortSignal }));
    // Something else may listen there.
    if (typeof info?.ServerVersion !== 'string') throw new Error('what answers there is no Docker Engine');
    return { version: info.ServerVersion.slice(0, 63), swarmRole: roleOf(info) };
  }

  /** All containers, whether or not they run. */
  list(): Promise<Dockerode.ContainerInfo[]> {
    return this.#ask((client, abortSignal) => client.listContainers({ all: true, abortSignal }));
  }

  /** Undefined for a container that is gone. */
  async inspect(id: string): Promise<Inspected | undefined> {
    try {
      return await this.#ask((client, abortSignal) => client.getContainer(id).inspect({ abortSignal }));
    } catch (error) {
      if ((error as { statusCode?: number }).statusCode === 404) return undefined;
      throw error;
    }
  }

  /** What happens from now on, one JSON object per line. Whoever asks reads it, or destroys it. */
  async events(): Promise<Readable> {
    const filters = JSON.stringify(EVENT_FILTERS);
    return (await this.#ask((client, abortSignal) => client.getEvents({ filters, abortSignal }))) as Readable;
  }

  async ping(): Promise<void> {
    await this.#ask((client, abortSignal) => client.ping({ abortSignal }));
  }

  /** Ends what is under way. */
  close(): void {
    this.#closed.abort();
  }

  /** dockerode leaves a question open for ever when the engine dies in the middle of its answer: the deadline ends it. */
  async #ask<T>(question: (client: Client, signal: AbortSignal) => Promise<T>): Promise<T> {
    const closed = this.#closed.signal;
    const what = `asking the Docker Engine at ${this.socketPath}`;
    this.#client ??= connect(this.socketPath);
    const client = await this.#client;
    const abort = new AbortController();
    let end = () => {};
    const ended = new Promise<never>((_, reject) => {
      end = () => {
        abort.abort();
        reject(new Error(`${what} was given up`));
      };
    });
    if (closed.aborted) end();
    closed.addEventListener('abort', end);
    try {
      return await withDeadline(
        Promise.race([question(client, abort.signal), ended]),
        ANSWER_WITHIN_MS,
        what,
        this.#clock,
      );
    } catch (error) {
      abort.abort();
      throw error;
    } finally {
      // An event stream goes on after its answer: its reader destroys it.
      closed.removeEventListener('abort', end);
    }
  }
}

/** Loaded only where there is an engine: dockerode brings ssh and gRPC, which others need not pay for. */
async function connect(socketPath: string): Promise<Client> {
  const { default: Docker } = await import('dockerode');
  // An explicit host of undefined keeps DOCKER_HOST from sending us to some other machine's engine.
  return new Docker({ socketPath, host: undefined, protocol: 'http' }) as unknown as Client;
}

function roleOf({ Swarm }: EngineInfo): SwarmRole {
  if (Swarm?.LocalNodeState !== 'active') return 'none';
  return Swarm.ControlAvailable ? 'manager' : 'worker';
}

/** One sentence for a person; `code` is that of the system. */
export function whyUnreachable(error: unknown, socketPath: string): { code: string | undefined; sentence: string } {
  const code = (error as { code?: string }).code;
  const at = `the Docker Engine at ${socketPath}`;
  if (code === 'EACCES')
    return { code, sentence: `may not use ${socketPath}: add the user of the agent to the group docker` };
  if (code === 'ECONNREFUSED' || code === 'ENOENT') return { code, sentence: `${at} is not running` };
  if (code === 'DEADLINE_EXCEEDED')
    return { code, sentence: `${at} does not answer within ${ANSWER_WITHIN_MS / 1000} s` };
  // A part of an answer that isn't there: the sentences of the language would tell nobody anything.
  if (error instanceof TypeError) return { code, sentence: `what answers at ${socketPath} is no Docker Engine` };
  return { code, sentence: `${at} does not answer: ${reasonOf(error)}`.slice(0, 255) };
}
