import type { Clock } from '../lib/clock.ts';
import { type CronTrigger, startCron } from '../lib/cron.ts';
import { withDeadline } from '../lib/deadline.ts';
import { reasonOf } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import { Rare } from '../lib/rare.ts';

/** Work that is done now and then. It goes by what is stored, not by when or how often it is called. */
export interface Job {
  name: string;
  /** When, as a cron expression in UTC. */
  schedule: string;
  run(): Promise<void>;
}

const STOP_LIMIT_MS = 1000;

/**
 * Runs jobs on their schedules, each never twice at once. A job that fails is logged and called again the next time.
 */
export class Jobs {
  readonly name = 'jobs';
  readonly #jobs: Job[];
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #rare: Rare;
  readonly #underWay = new Map<Job, Promise<void>>();
  #triggers: CronTrigger[] = [];
  #isStopped = false;

  constructor({ jobs, clock, log }: { jobs: Job[]; clock: Clock; log: Log }) {
    this.#jobs = jobs;
    this.#clock = clock;
    this.#log = log;
    this.#rare = new Rare(clock);
  }

  async start(): Promise<void> {
    if (!this.#isStopped) this.#arm();
  }

  /**
   * The wall clock was stepped: the triggers are made anew, and each job is called once, as its time may have passed.
   */
  clockStepped(): void {
    if (this.#isStopped || this.#triggers.length === 0) return;
    this.#disarm();
    this.#arm();
    for (const job of this.#jobs) this.#fire(job);
  }

  /** A job under way is awaited for a moment. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#disarm();
    const rest = Promise.all(this.#underWay.values());
    try {
      await withDeadline(rest, STOP_LIMIT_MS, 'waiting for the jobs', this.#clock);
    } catch (error) {
      this.#log.warn({ jobs: [...this.#underWay.keys()].map(({ name }) => name) }, reasonOf(error));
    }
  }

  #arm(): void {
    this.#triggers = this.#jobs.map((job) => startCron(job.schedule, () => this.#fire(job), this.#clock));
  }

  #disarm(): void {
    for (const trigger of this.#triggers) trigger.stop();
    this.#triggers = [];
  }

  #fire(job: Job): void {
    if (this.#underWay.has(job) || this.#isStopped) return;
    const run = this.#run(job).finally(() => this.#underWay.delete(job));
    this.#underWay.set(job, run);
  }

  async #run(job: Job): Promise<void> {
    try {
      await job.run();
      if (this.#rare.over(job.name)) this.#log.info({ job: job.name }, `${job.name} works again`);
    } catch (error) {
      const times = this.#rare.happened(job.name);
      if (times > 0) this.#log.warn({ job: job.name, times }, `${job.name} failed: ${reasonOf(error)}`);
    }
  }
}
