import type { Server } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { Backoff } from '../../lib/backoff.ts';
import { type Clock, sleep, type TimerHandle } from '../../lib/clock.ts';
import { withDeadline } from '../../lib/deadline.ts';
import { reasonOf } from '../../lib/errors.ts';
import type { Service } from '../../lib/lifecycle.ts';
import type { Log } from '../../lib/log.ts';
import type { PipelineStatus, Status } from '../../telemetry/status.ts';
import type { ClusterView, DeliveryCounts, NodeView, Notice } from '../messages.ts';
import { makeHttp } from './http.ts';
import { browserUrl, listenOn } from './listen.ts';
import type { LiveSource } from './live-source.ts';
import { LiveState } from './live-state.ts';
import { Metrics } from './metrics.ts';
import { nodeDetails } from './node-details.ts';
import { type Page, thePage } from './page.ts';
import { StoreWatch, type WatchedReader } from './store-watch.ts';
import { StreamHub } from './stream.ts';

/** States are decided and changes pushed this often: a quarter of a second of the three that a silence may take. */
const TICK_MS = 250;
const POINT_EVERY_MS = 1000;
const STOP_LIMIT_MS = 2000;

export interface DashboardOptions {
  live: LiveSource;
  /** Where the first picture comes from; every few seconds it is asked again, to tell whether it is still there. */
  reader: WatchedReader;
  /** 127.0.0.1 unless somebody asked for more. */
  host: string;
  port: number;
  /** A default port that is taken moves to the next free one; one that was asked for is PORT_TAKEN. */
  portIsExplicit: boolean;
  clock: Clock;
  log: Log;
  /** What the rest of the process wants people to know; asked four times a second. */
  notices: () => Notice[];
  /** The cluster to show; without it the first one that is seen. */
  clusterId?: string | undefined;
  expectedNodes?: string[] | undefined;
  /** Why the collector of this process can't store; reading may go on all the while. */
  storeProblem?: (() => string | undefined) | undefined;
  /** What was counted, where something in this process counts. */
  delivery?: (() => DeliveryCounts) | undefined;
}

/** The page, its stream and the read API. It goes on without Kafka and without the store, and says what is missing. */
export class Dashboard implements Service {
  readonly name = 'dashboard';
  readonly #options: DashboardOptions;
  readonly #state: LiveState;
  readonly #hub: StreamHub;
  readonly #stopped = new AbortController();
  readonly #sent = new Map<string, string>();
  readonly #store: StoreWatch;
  #page: Page | undefined;
  #http: { app: FastifyInstance; server: Server } | undefined;
  #address: { host: string; port: number; url: string } | undefined;
  #tickTimer: TimerHandle | undefined;
  #lastPointAt = 0;
  #stopping: Promise<void> | undefined;

  constructor(options: DashboardOptions) {
    const { clock, clusterId, expectedNodes = [], reader } = options;
    this.#options = options;
    this.#state = new LiveState({ clusterId, expectedNodes, clock });
    this.#hub = new StreamHub({ clock, snapshotExtras: () => this.#snapshotExtras() });
    this.#store = new StoreWatch(reader, this.#state, clock);
  }

  /** Resolves once the address is open. Neither the store nor the live source is waited for. */
  async start(): Promise<void> {
    const { host, port, portIsExplicit, log } = this.#options;
    const page = thePage();
    page.then(
      (built) => {
        this.#page = built;
      },
      (error) => log.error({}, `the page could not be made: ${reasonOf(error)}`),
    );
    const metrics = new Metrics(() => ({
      status: this.status(),
      rails: (nodeId) => this.#state.report(nodeId)?.rails ?? [],
      streams: this.#hub.size,
    }));
    const answers = {
      status: () => this.status(),
      nodes: () => this.status().nodes.map((node) => this.#nodeView(node)),
      notReady: () => this.#notReady(),
    };
    this.#http = await makeHttp({ host, hub: this.#hub, page, answers, metrics, log });
    const opened = await listenOn(this.#http.server, { host, port, portIsExplicit });
    this.#address = { host, port: opened, url: browserUrl(host, opened) };
    if (port !== 0 && opened !== port) log.info({ port: opened }, `port ${port} is taken: the page is at ${opened}`);
    void this.#store.watch(this.#stopped.signal);
    void this.#openLive();
    this.#tick();
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** Where the page is. Only after start(). */
  address(): { host: string; port: number; url: string } {
    if (!this.#address) throw new Error('the dashboard has not been started');
    return this.#address;
  }

  status(): Status {
    return this.#state.status(this.#pipeline());
  }

  #pipeline(): PipelineStatus {
    const problem = this.#options.storeProblem?.();
    const store = problem === undefined ? this.#store.status : { ...this.#store.status, reachable: false, problem };
    return { ...this.#options.live.pipeline(), store };
  }

  #notReady(): string[] {
    const pipeline = this.#pipeline();
    const reasons: string[] = [];
    if (!this.#page) reasons.push('the page is being made');
    if (!pipeline.readable) reasons.push('reports cannot be read');
    if (!pipeline.store.reachable) reasons.push(`the store does not answer: ${pipeline.store.problem ?? 'unknown'}`);
    return reasons;
  }

  async #openLive(): Promise<void> {
    const { live, log, clock } = this.#options;
    const backoff = new Backoff({ baseMs: 500, maxMs: 10_000 });
    while (!this.#stopped.signal.aborted) {
      try {
        return await live.start({
          report: (report) => this.#state.accept(report),
          facts: (facts, appendedAt) => this.#state.acceptFacts(facts, appendedAt),
        });
      } catch (error) {
        log.warn({}, `live values cannot be had: ${reasonOf(error)}`);
        await sleep(clock, backoff.nextDelayMs(), this.#stopped.signal);
      }
    }
  }

  #tick(): void {
    const { clock } = this.#options;
    if (this.#stopped.signal.aborted) return;
    const status = this.status();
    for (const node of status.nodes) {
      const version = `${node.state} ${this.#state.revision(node.nodeId)}`;
      if (this.#sent.get(node.nodeId) === version) continue;
      this.#sent.set(node.nodeId, version);
      this.#hub.set(`node:${node.nodeId}`, this.#nodeView(node));
    }
    this.#hub.set('cluster', this.#clusterView(status));
    if (clock.monotonicMs() - this.#lastPointAt >= POINT_EVERY_MS) {
      this.#lastPointAt = clock.monotonicMs();
      this.#hub.point(this.#state.record(status));
    }
    this.#hub.flush();
    this.#tickTimer = clock.setTimer(() => this.#tick(), TICK_MS);
  }

  #nodeView(node: Status['nodes'][number]): NodeView {
    const { reportAgeMs: _age, ...status } = node;
    const report = this.#state.report(node.nodeId);
    if (!report) return { status };
    const { nodeId } = node;
    return { status, details: nodeDetails(report, this.#state.facts(nodeId), this.#state.interfaces(nodeId)) };
  }

  #clusterView({ nodes, at: _at, sentence: _sentence, ...status }: Status): ClusterView {
    const { delivery, notices, port } = this.#options;
    const moved = port !== 0 && this.#address && this.#address.port !== port;
    const own: Notice[] = moved
      ? [
          {
            severity: 'info',
            text: `Port ${port} is taken by another program, so this page is at ${this.#address?.port}.`,
          },
        ]
      : [];
    return {
      ...status,
      nodeIds: nodes.map((node) => node.nodeId),
      reportsPerSecond: this.#state.rate(),
      ...(delivery ? { delivery: delivery() } : {}),
      notices: [...notices(), ...own],
    };
  }

  #snapshotExtras(): object {
    const nodeIds = this.status().nodes.map((node) => node.nodeId);
    return {
      build: this.#page?.build ?? '',
      history: this.#state.history,
      arrivals: Object.fromEntries(nodeIds.map((nodeId) => [nodeId, this.#state.arrivals(nodeId)])),
    };
  }

  /** Intake first, then the pages, then the port. */
  async #stop(): Promise<void> {
    const { clock, live, log } = this.#options;
    this.#stopped.abort();
    if (this.#tickTimer !== undefined) clock.clear(this.#tickTimer);
    try {
      await withDeadline(live.stop(), STOP_LIMIT_MS, 'stopping the live source', clock);
    } catch (error) {
      log.warn({}, reasonOf(error));
    }
    this.#hub.close();
    const server = this.#http?.server;
    if (server?.listening) {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    }
    await this.#http?.app.close();
  }
}
