import { stat } from 'node:fs/promises';
import type { Clock } from '../../lib/clock.ts';
import type { Report } from '../../telemetry/report.ts';
import type { Finding, ReportPart, Sampler, SamplerFacts } from '../sampler.ts';
import { ContainerUsage, type ContainerUsageReading } from './container-usage.ts';
import { DockerWatch, type EngineView } from './docker-watch.ts';

/** States are in memory, kept up to date by the engine's events. */
const PERIOD_MS = 1000;
/** Their CPU and memory takes three files for each. */
const USAGE_EVERY_MS = 10_000;

export interface DockerOptions {
  clock: Clock;
  sysfs: string;
  /** The engine's socket; the first that exists is used. */
  socketPaths: string[];
}

type Section = NonNullable<Report['docker']>;

/**
 * Containers of a local Docker Engine: state, health and restarts from the engine, usage from cgroup files. An engine
 * that was there and doesn't answer is `stopped`, and nothing is said of its containers.
 */
export class DockerSampler implements Sampler {
  readonly name = 'docker';
  readonly periodMs = PERIOD_MS;
  readonly timeoutMs = PERIOD_MS;
  readonly #socketPaths: string[];
  readonly #clock: Clock;
  readonly #usage: ContainerUsage;
  #watch: DockerWatch | undefined;
  #stopped = false;
  /** What the last find() said. */
  #told: string | undefined;
  #version: string | undefined;
  #usages = new Map<string, ContainerUsageReading>();
  #usageAtMs = Number.NEGATIVE_INFINITY;
  /** The section as it was last made, and from what. */
  #last: { section: Section; sampledAt: number; view: EngineView; revision: number } | undefined;

  constructor({ clock, sysfs, socketPaths }: DockerOptions) {
    this.#socketPaths = socketPaths;
    this.#clock = clock;
    this.#usage = new ContainerUsage(sysfs, clock);
  }

  async find(): Promise<Finding> {
    const subject = 'docker';
    const socketPath = this.#watch?.socketPath ?? (await this.#socket());
    if (socketPath === undefined) {
      const [first] = this.#socketPaths;
      const detail = first
        ? `no Docker Engine here: there is no ${first}`
        : 'not looked for: this is the record of another system';
      return { subject, found: false, detail };
    }
    if (this.#stopped) return { subject, found: false, detail: 'the agent is stopping' };
    this.#watch ??= new DockerWatch(socketPath, this.#clock);
    const watch = this.#watch;
    await watch.start();
    const { view } = watch;
    const detail = inWords(view);
    this.#told = detail;
    // What refuses connections is an engine that is stopped; anything else may be no engine at all.
    const found = view.answers || watch.seen || view.code === 'ECONNREFUSED';
    if (!found && this.#watch === watch) {
      this.#watch = undefined;
      await watch.stop();
    }
    return { subject, found, detail };
  }

  hasNews(): boolean {
    return this.#watch !== undefined && this.#told !== undefined && this.#told !== inWords(this.#watch.view);
  }

  async sample(signal: AbortSignal): Promise<ReportPart> {
    const view = this.#watch?.view;
    if (!view) throw new Error('no Docker Engine was found');
    if (!view.answers) {
      this.#last = undefined;
      return { docker: { engine: 'stopped' } };
    }
    this.#version = view.version;
    const { revision } = view.table;
    const nowMs = this.#clock.monotonicMs();
    const usageIsDue = nowMs - this.#usageAtMs >= USAGE_EVERY_MS;
    if (!usageIsDue && this.#last?.view === view && this.#last.revision === revision) {
      return { docker: { sampledAt: this.#last.sampledAt, ...this.#last.section } };
    }
    const sampledAt = this.#clock.now();
    await this.#readUsage(view, usageIsDue, signal);
    if (usageIsDue) this.#usageAtMs = nowMs;
    this.#last = { section: this.#section(view), sampledAt, view, revision };
    return { docker: this.#last.section };
  }

  facts(): SamplerFacts {
    const view = this.#watch?.view;
    const version = view?.answers ? view.version : this.#version;
    return version === undefined ? {} : { versions: { docker: version } };
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#watch?.stop();
  }

  /** Of all that run, or only of those that have begun since: a first reading is what the next one is counted from. */
  async #readUsage({ table }: EngineView & { answers: true }, all: boolean, signal: AbortSignal): Promise<void> {
    const running = table.shown().filter(({ container }) => container.state === 'running');
    const ids = running.map(({ id }) => id);
    this.#usage.keepOnly(ids);
    const usages = await this.#usage.read(all ? ids : ids.filter((id) => !this.#usages.has(id)), signal);
    this.#usages = new Map(ids.map((id) => [id, usages.get(id) ?? (all ? {} : (this.#usages.get(id) ?? {}))]));
  }

  #section({ version, swarmRole, table }: EngineView & { answers: true }): Section {
    const { runningContainers, leftOutContainers } = table;
    return {
      engine: 'running',
      version,
      swarmRole,
      runningContainers,
      containers: table.shown().map(({ id, container }) => ({ ...container, ...this.#usages.get(id) })),
      ...(leftOutContainers > 0 && { leftOutContainers }),
    };
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

function inWords(view: EngineView): string {
  return (view.answers ? `Docker ${view.version}` : view.why).slice(0, 255);
}
