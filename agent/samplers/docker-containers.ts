import type Dockerode from 'dockerode';
import type { Container } from '../../telemetry/report.ts';
import type { Inspected } from './docker-engine.ts';

/** As many as a report takes. */
export const MOST_SHOWN = 256;
/** Beyond, they are only counted. */
const MOST_KNOWN = 1024;

interface Known {
  id: string;
  container: Container;
  /** Not yet asked for one by one: restarts are known only from there. */
  listedOnly: boolean;
}

/** The containers of one engine: from a list of all, kept up to date one by one. */
export class ContainerTable {
  #known = new Map<string, Known>();
  #beyond = { running: 0, all: 0 };
  #revision = 0;

  /** Rises whenever something is different. */
  get revision(): number {
    return this.#revision;
  }

  /** Takes a list of all containers; returns the ids of those that must be asked for one by one. */
  takeList(listed: Dockerode.ContainerInfo[]): string[] {
    const ordered = listed.toSorted(
      (a, b) => Number(isRunning(b.State)) - Number(isRunning(a.State)) || (a.Id < b.Id ? -1 : 1),
    );
    const before = this.#known;
    const beyond = ordered.slice(MOST_KNOWN);
    this.#beyond = { running: beyond.filter(({ State }) => isRunning(State)).length, all: beyond.length };
    this.#known = new Map();
    const toAsk: string[] = [];
    for (const [index, one] of ordered.slice(0, MOST_KNOWN).entries()) {
      const known = before.get(one.Id);
      const asListed = fromList(one);
      const isSame = known !== undefined && agree(known.container, asListed);
      const restarts = known?.container.restarts;
      const container = restarts === undefined ? asListed : { ...asListed, restarts };
      this.#known.set(one.Id, isSame ? known : { id: one.Id, container, listedOnly: true });
      if (index < MOST_SHOWN && (!isSame || known.listedOnly)) toAsk.push(one.Id);
    }
    if (toAsk.length > 0 || before.size !== this.#known.size) this.#revision += 1;
    return toAsk;
  }

  /** Returns false where there is no room for one more: a list of all tells how many there are. */
  put(inspected: Inspected): boolean {
    if (this.#known.size >= MOST_KNOWN && !this.#known.has(inspected.Id)) return false;
    const container = fromInspection(inspected);
    this.#known.set(inspected.Id, { id: inspected.Id, container, listedOnly: false });
    this.#revision += 1;
    return true;
  }

  remove(id: string): void {
    if (this.#known.delete(id)) this.#revision += 1;
  }

  /** Of all, shown or not. */
  get runningContainers(): number {
    let running = this.#beyond.running;
    for (const { container } of this.#known.values()) if (isRunning(container.state)) running += 1;
    return running;
  }

  /** Those that run first, so that a board with hundreds of dead ones still shows all that run; else by id. */
  shown(): { id: string; container: Container }[] {
    const ordered = [...this.#known.values()].sort(
      (a, b) => Number(isRunning(b.container.state)) - Number(isRunning(a.container.state)) || (a.id < b.id ? -1 : 1),
    );
    return ordered.slice(0, MOST_SHOWN);
  }

  get leftOutContainers(): number {
    return Math.max(0, this.#known.size + this.#beyond.all - MOST_SHOWN);
  }
}

/** A list tells no health of a container that is paused. */
function agree(known: Container, listed: Container): boolean {
  const sameHealth = listed.health === undefined || listed.health === known.health;
  return known.state === listed.state && known.name === listed.name && sameHealth;
}

function isRunning(state: string): boolean {
  return state === 'running';
}

/** What the engine lists, in the words of a report. */
export function fromList(listed: Dockerode.ContainerInfo): Container {
  // Status reads "Up 2 hours (healthy)" or "Up 3 seconds (health: starting)".
  const health = /\((?:health: )?(healthy|unhealthy|starting)\)$/.exec(listed.Status)?.[1];
  return {
    id: shortId(listed.Id),
    name: nameOf(listed.Names?.[0], listed.Id),
    image: listed.Image.slice(0, 255),
    state: listed.State.slice(0, 32),
    ...(health === undefined ? {} : { health }),
  };
}

/** What the engine tells of one container, in the words of a report. */
export function fromInspection({ Id, Name, Config, State, RestartCount }: Inspected): Container {
  const health = State.Health?.Status;
  return {
    id: shortId(Id),
    name: nameOf(Name, Id),
    image: Config.Image.slice(0, 255),
    state: State.Status.slice(0, 32),
    ...(health === undefined || health === '' || health === 'none' ? {} : { health: health.slice(0, 32) }),
    ...(Number.isInteger(RestartCount) && RestartCount >= 0 ? { restarts: RestartCount } : {}),
  };
}

function shortId(id: string): string {
  return id.slice(0, 12);
}

/** A container may have no name while it is being removed. */
function nameOf(name: string | undefined, id: string): string {
  return (name || shortId(id)).replace(/^\//, '').slice(0, 255);
}
