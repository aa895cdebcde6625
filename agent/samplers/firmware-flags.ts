import { open } from 'node:fs/promises';
import type { Clock } from '../../lib/clock.ts';
import { reasonOf } from '../../lib/errors.ts';
import type { RunningTool, RunTool } from '../run-tool.ts';

/** A child process costs more than all files of a report together. */
const PERIOD_MS = 30_000;
/** The firmware answers within a millisecond, unless it is stuck. */
const ANSWER_WITHIN_MS = 5000;

export const FLAGS = ['underVoltage', 'frequencyCapped', 'throttled', 'softTemperatureLimit'] as const;
export type Flag = (typeof FLAGS)[number];

export interface FirmwareReading {
  now: Record<Flag, boolean>;
  /** Set at some time since the start. */
  occurred: Flag[];
  /** Epoch ms. */
  sampledAt: number;
}

export interface FirmwareFlagsOptions {
  /** Paths where the tool may be; empty where the firmware of this machine must not be asked. */
  tools: readonly string[];
  /** The device that the tool uses. */
  vcio: string;
  run: RunTool;
  clock: Clock;
  periodMs?: number;
  answerWithinMs?: number;
}

/**
 * The throttling flags of a Raspberry Pi's firmware, asked by `vcgencmd get_throttled`: the way through sysfs is
 * deprecated and wrong on some kernels. Never two processes at once; nobody waits for one but the search.
 */
export class FirmwareFlags {
  readonly #options: Required<FirmwareFlagsOptions>;
  #tool: string | undefined;
  #running: RunningTool | undefined;
  #asking: Promise<void> | undefined;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #last: { reading: FirmwareReading; atMs: number } | undefined;
  #problem: string | undefined = 'not asked yet';
  #stopped = false;

  constructor(options: FirmwareFlagsOptions) {
    this.#options = { periodMs: PERIOD_MS, answerWithinMs: ANSWER_WITHIN_MS, ...options };
  }

  /** Why there is no answer; undefined while there is one. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Looks for the tool and its device, and asks once if that is due. Never rejects; takes no longer than one answer. */
  async find(): Promise<void> {
    try {
      this.#tool = await this.#findTool();
    } catch (error) {
      this.#tool = undefined;
      this.#problem = reasonOf(error);
      return;
    }
    this.#askIfDue();
    await this.#asking;
  }

  /** What was answered last, for two periods; begins to ask when that is due. */
  current(): FirmwareReading | undefined {
    this.#askIfDue();
    const { clock, periodMs } = this.#options;
    return this.#last && clock.monotonicMs() - this.#last.atMs <= 2 * periodMs ? this.#last.reading : undefined;
  }

  stop(): void {
    this.#stopped = true;
    this.#running?.kill();
  }

  #askIfDue(): void {
    const { clock, periodMs } = this.#options;
    const nowMs = clock.monotonicMs();
    if (this.#stopped || !this.#tool || this.#running || nowMs - this.#askedAtMs < periodMs) return;
    this.#askedAtMs = nowMs;
    this.#asking = this.#ask(this.#tool);
  }

  async #ask(tool: string): Promise<void> {
    const { clock, run, answerWithinMs } = this.#options;
    try {
      const running = run(tool, ['get_throttled'], answerWithinMs);
      this.#running = running;
      void running.ended.then(() => {
        this.#running = undefined;
      });
      const reading = { ...parseThrottled(await running.answer), sampledAt: clock.now() };
      this.#last = { reading, atMs: clock.monotonicMs() };
      this.#problem = undefined;
    } catch (error) {
      this.#problem = this.#wordsFor(error);
    }
  }

  async #findTool(): Promise<string> {
    const { tools, vcio } = this.#options;
    const tool = await firstUsable(tools);
    if (tool === undefined)
      throw new Error(tools[0] ? `there is no ${tools[0]}` : 'this is the record of another system');
    try {
      // Opened rather than asked about: a sandbox can forbid what the file's rights allow.
      await (await open(vcio, 'r+')).close();
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'ENOENT') throw new Error(`there is no ${vcio}: this kernel has no way to the firmware`);
      if (code === 'EACCES' || code === 'EPERM') throw new Error(notInGroup(vcio));
      throw error;
    }
    return tool;
  }

  #wordsFor(error: unknown): string {
    const reason = reasonOf(error);
    return /can't open device|VCHI initialization failed/i.test(reason) ? notInGroup(this.#options.vcio) : reason;
  }
}

async function firstUsable(tools: readonly string[]): Promise<string | undefined> {
  for (const tool of tools) {
    try {
      await (await open(tool, 'r')).close();
      return tool;
    } catch {
      // Not installed here; the next place may have it.
    }
  }
  return undefined;
}

function notInGroup(vcio: string): string {
  return `may not use ${vcio}: add the user of the agent to the group video`;
}

/**
 * "throttled=0x50005": bits 0 to 3 are now, 16 to 19 the same at some time since the start. Source: documentation of
 * vcgencmd. Throws on anything else.
 */
export function parseThrottled(text: string): Omit<FirmwareReading, 'sampledAt'> {
  const match = /^throttled=0x([0-9a-f]{1,8})$/i.exec(text);
  if (!match) throw new Error(`it says "${text.slice(0, 60)}"`);
  const bits = Number.parseInt(match[1]!, 16);
  const isSet = (bit: number) => (bits & (1 << bit)) !== 0;
  const now = Object.fromEntries(FLAGS.map((flag, bit) => [flag, isSet(bit)])) as Record<Flag, boolean>;
  return { now, occurred: FLAGS.filter((_, bit) => isSet(bit + 16)) };
}
