import { join } from 'node:path';
import type { FactsPart } from '../../agent/facts.ts';
import type { Collector } from '../../collector/collector.ts';
import type { Dashboard } from '../../dashboard/server/dashboard.ts';
import { type Clock, sleep } from '../../lib/clock.ts';
import { type Service, ServiceGroup } from '../../lib/lifecycle.ts';
import type { Log } from '../../lib/log.ts';
import type { Settings } from '../settings.ts';
import { type AgentParts, makeAgent, type NamedAgent } from './agent.ts';
import { makeCollector } from './collector.ts';
import { makeDashboard } from './dashboard.ts';
import { makeSimulatedAgents } from './simulation.ts';
import { AcknowledgedLedger } from './tally.ts';
import { makeTransport } from './transport.ts';

/** How long the page waits for the collector: what can't be mended by waiting is told before anything is shown. */
const COLLECTOR_FIRST_MS = 2000;

/** Of the 3 s that a stop may take; on the link there is nothing to wait for. */
const SETTLE_MS = 1000;

export interface EverythingOptions {
  settings: Settings;
  /** How many boards to simulate instead of reading this machine. */
  simulate: number | undefined;
  clock: Clock;
  log: Log;
  /** Told when this machine was looked at, and again when something of it has changed. */
  factsGathered?: (facts: FactsPart) => void;
}

/** Agents, collector and page in one process, over what is configured: link or Kafka, SQLite or Cassandra. */
export class Everything implements Service {
  readonly name = 'ericht';
  /** What the agents were told was acknowledged. */
  readonly ledger = new AcknowledgedLedger();
  /** Rejects when the collector meets what waiting can't mend. */
  readonly failed: Promise<never>;
  readonly #options: EverythingOptions;
  readonly #fail: (error: unknown) => void;
  readonly #stopped = new AbortController();
  #parts: { collector: Collector; dashboard: Dashboard; agents: NamedAgent[]; group: ServiceGroup } | undefined;
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: EverythingOptions) {
    this.#options = options;
    const { promise, reject } = Promise.withResolvers<never>();
    // Whoever waits for it hears of it; nobody has to.
    promise.catch(() => {});
    this.failed = promise;
    this.#fail = reject;
  }

  /** Resolves once the page is open and reports are being made; the store and Kafka may still be on their way. */
  start(): Promise<void> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  /** Agents flush and say goodbye first, then all they sent is stored. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** Where the page is; only after start(). */
  get url(): string {
    return this.#started.dashboard.address().url;
  }

  /** Sums over the agents of this process. */
  sent(): { sampled: number; acknowledged: number; notSent: number } {
    const sum = { sampled: 0, acknowledged: 0, notSent: 0 };
    for (const { agent } of this.#parts?.agents ?? []) {
      const { sampled, acknowledged, notSent } = agent.counts();
      sum.sampled += sampled;
      sum.acknowledged += acknowledged;
      sum.notSent += notSent;
    }
    return sum;
  }

  /** The node of each run of this process. */
  runs(): Map<string, string> {
    return new Map((this.#parts?.agents ?? []).map(({ nodeId, agent }) => [agent.runId, nodeId]));
  }

  get #started() {
    if (!this.#parts) throw new Error('nothing has been started');
    return this.#parts;
  }

  async #start(): Promise<void> {
    const { settings, clock, log } = this.#options;
    const transport = await makeTransport(settings, { clock, log });
    const { collector, wired, beside } = await makeCollector(settings, transport.source, { clock, log });
    const agents = await this.#makeAgents(() => transport.sink());
    const dashboard = makeDashboard(settings, {
      live: transport.live(),
      reader: wired.store,
      notices: () => {
        const { problem } = collector.status();
        return problem ? [{ severity: 'critical', text: `${problem.message}.` }] : [];
      },
      storeProblem: () => collector.status().store.problem,
      delivery: () => ({ stored: collector.counts().stored, notSent: this.sent().notSent }),
      clock,
      log,
    });
    const services = [...beside, this.#waitingFor(collector), dashboard, this.#settling(collector), allAgents(agents)];
    const group = new ServiceGroup('ericht', services, clock, log);
    this.#parts = { collector, dashboard, agents, group };
    await group.start();
  }

  /** A page has to be there while the store is not: it is what says so. */
  #waitingFor(collector: Collector): Service {
    const { clock } = this.#options;
    return {
      name: collector.name,
      start: async () => {
        const started = collector.start();
        started.catch((error) => this.#fail(error));
        await Promise.race([started, sleep(clock, COLLECTOR_FIRST_MS, this.#stopped.signal)]);
      },
      stop: () => collector.stop(),
    };
  }

  /** Stops after the agents and before the collector: what they sent last comes back from Kafka a moment later. */
  #settling(collector: Collector): Service {
    const { clock } = this.#options;
    return {
      name: 'what is on its way',
      start: async () => {},
      stop: async () => {
        const until = clock.monotonicMs() + SETTLE_MS;
        const isSettled = () => collector.counts().received >= this.sent().acknowledged;
        while (!isSettled() && clock.monotonicMs() < until) await sleep(clock, 50);
      },
    };
  }

  async #stop(): Promise<void> {
    this.#stopped.abort();
    await this.#parts?.group.stop();
  }

  async #makeAgents(sink: () => AgentParts['sink']): Promise<NamedAgent[]> {
    const { settings, simulate, clock, log, factsGathered } = this.#options;
    const parts = (folder: string): AgentParts => ({
      sink: sink(),
      // The link ends in this very process: what it can't take would wait for nothing on a disk that may be full.
      spool:
        settings.config.transport === 'link'
          ? undefined
          : { directory: join(settings.dataDir, folder), ...settings.spool },
      acknowledged: (ids) => this.ledger.take(ids),
      ...(factsGathered && { factsGathered }),
      clock,
      log,
    });
    if (simulate === undefined) {
      const agent = await makeAgent(settings, { ...parts('spool'), keepsEnergy: true });
      return [{ nodeId: settings.nodeId, agent }];
    }
    return makeSimulatedAgents(settings, simulate, clock, (nodeId) => parts(join('spools', nodeId)));
  }
}

/** Side by side: eight agents stop in the time of one. */
function allAgents(agents: NamedAgent[]): Service {
  return {
    name: 'agents',
    start: async () => {
      await Promise.all(agents.map(({ agent }) => agent.start()));
    },
    stop: async () => {
      await Promise.all(agents.map(({ agent }) => agent.stop()));
    },
  };
}
