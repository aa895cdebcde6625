import { stat } from 'node:fs/promises';
import type Dockerode from 'dockerode';
import type { Clock } from '../../lib/clock.ts';
import { reasonOf } from '../../lib/errors.ts';
import type { Container } from '../../telemetry/report.ts';
import type { Finding, ReportPart, Sampler, SamplerFacts } from '../sampler.ts';
import { ContainerUsage } from './container-usage.ts';

const PERIOD_MS = 10_000;
/** A busy engine on a board takes seconds to answer. */
const ANSWER_WITHIN_MS = 5000;
const MOST_CONTAINERS = 256;
/** Containers inspected at the same time: the engine locks each one for it. */
const INSPECTED_AT_ONCE = 4;
/** The swarm role changes rarely, and asking for it makes the engine count everything it has. */
const READINGS_PER_ROLE = 6;

export interface DockerOptions {
  clock: Clock;
  sysfs: string;
  /** The engine's socket; the first that exists is used. */
  socketPaths: string[];
}

type SwarmRole = 'manager' | 'worker' | 'none';

/** Containers of a local Docker Engine: state, health and restarts from the engine, usage from cgroup files. */
export class DockerSampler implements Sampler {
  readonly name = 'docker';
  readonly periodMs = PERIOD_MS;
  readonly timeoutMs = ANSWER_WITHIN_MS + 1000;
  readonly #socketPaths: string[];
  readonly #usage: ContainerUsage;
  #engine: { client: Dockerode; version: string; swarmRole: SwarmRole } | undefined;
  #readings = 0;

  constructor({ clock, sysfs, socketPaths }: DockerOptions) {
    this.#socketPaths = socketPaths;
    this.#usage = new ContainerUsage(sysfs, clock);
  }

  async find(): Promise<Finding> {
    const subject = 'docker';
    const socketPath = await this.#socket();
    if (socketPath === undefined) {
      this.#engine = undefined;
      return { subject, found: false, detail: `no Docker Engine here: there is no ${this.#socketPaths[0]}` };
    }
    try {
      const client = await connect(socketPath);
      const info = await client.info();
      this.#engine = { client, version: String(info.ServerVersion), swarmRole: roleOf(info) };
      return { subject, found: true, detail: `Docker ${info.ServerVersion}` };
    } catch (error) {
      this.#engine = undefined;
      return { subject, found: false, detail: whyUnreachable(error, socketPath).slice(0, 255) };
    }
  }

  async sample(signal: AbortSignal): Promise<ReportPart> {
    const engine = this.#engine;
    if (!engine) throw new Error('no Docker Engine was found');
    const listed = await engine.client.listContainers({ all: true, abortSignal: signal });
    if (this.#readings++ % READINGS_PER_ROLE === READINGS_PER_ROLE - 1) {
      engine.swarmRole = roleOf(await engine.client.info());
    }
    const shown = listed.toSorted(runningFirst).slice(0, MOST_CONTAINERS);
    const running = shown.filter(({ State }) => State === 'running').map(({ Id }) => Id);
    const [restarts, usage] = await Promise.all([
      restartsOf(engine.client, shown, signal),
      this.#usage.read(running, signal),
    ]);
    return {
      docker: {
        version: engine.version,
        swarmRole: engine.swarmRole,
        runningContainers: listed.filter(({ State }) => State === 'running').length,
        containers: shown.map((one) => ({ ...toContainer(one, restarts.get(one.Id)), ...usage.get(one.Id) })),
      },
    };
  }

  facts(): SamplerFacts {
    return this.#engine ? { versions: { docker: this.#engine.version } } : {};
  }

  async #socket(): Promise<string | undefined> {
    for (const path of this.#socketPaths) {
      try {
        if ((await stat(path)).isSocket()) return path;
      } catch {
        // Not there, or in a directory we may not enter: the next one may be.
      }
    }
    return undefined;
  }
}

/** What the engine lists, in the words of a report. */
export function toContainer(listed: Dockerode.ContainerInfo, restarts: number | undefined): Container {
  // Status reads "Up 2 hours (healthy)" or "Up 3 seconds (health: starting)".
  const health = /\((?:health: )?(healthy|unhealthy|starting)\)$/.exec(listed.Status)?.[1];
  return {
    id: listed.Id.slice(0, 12),
    name: (listed.Names[0] ?? listed.Id.slice(0, 12)).replace(/^\//, '').slice(0, 255),
    image: listed.Image.slice(0, 255),
    state: listed.State.slice(0, 32),
    ...(health === undefined ? {} : { health }),
    ...(restarts === undefined ? {} : { restarts }),
  };
}

/** Loaded only where there is an engine: dockerode brings 24 MB of ssh and gRPC that others need not pay for. */
async function connect(socketPath: string): Promise<Dockerode> {
  const { default: Client } = await import('dockerode');
  // An explicit host of undefined keeps DOCKER_HOST from sending us to some other machine's engine.
  return new Client({ socketPath, host: undefined, protocol: 'http', timeout: ANSWER_WITHIN_MS });
}

function roleOf(info: { Swarm?: { LocalNodeState?: string; ControlAvailable?: boolean } }): SwarmRole {
  if (info.Swarm?.LocalNodeState !== 'active') return 'none';
  return info.Swarm.ControlAvailable ? 'manager' : 'worker';
}

/** A board with hundreds of dead containers still shows all that run; the order is stable otherwise. */
function runningFirst(a: Dockerode.ContainerInfo, b: Dockerode.ContainerInfo): number {
  return Number(b.State === 'running') - Number(a.State === 'running') || (a.Id < b.Id ? -1 : 1);
}

async function restartsOf(client: Dockerode, listed: Dockerode.ContainerInfo[], signal: AbortSignal) {
  const restarts = new Map<string, number>();
  const waiting = listed.map(({ Id }) => Id);
  const work = async () => {
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
      try {
        const { RestartCount } = await client.getContainer(id).inspect({ abortSignal: signal });
        if (Number.isInteger(RestartCount) && RestartCount >= 0) restarts.set(id, RestartCount);
      } catch (error) {
        // Removed since it was listed; anything else concerns the engine, hence all of them.
        if ((error as { statusCode?: number }).statusCode !== 404) throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: INSPECTED_AT_ONCE }, work));
  return restarts;
}

function whyUnreachable(error: unknown, socketPath: string): string {
  const code = (error as { code?: string }).code;
  if (code === 'EACCES') return `may not use ${socketPath}: add the user of the agent to the group docker`;
  if (code === 'ECONNREFUSED') return `the Docker Engine at ${socketPath} is not running`;
  return `the Docker Engine at ${socketPath} does not answer: ${reasonOf(error)}`;
}
