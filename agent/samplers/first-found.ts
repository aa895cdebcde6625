import type { Finding, ReportPart, Sampler, SamplerFacts } from '../sampler.ts';

/**
 * One sampler of several ways to the same readings: the first that finds something is used. Where none does, the first
 * one's reason is told, because it is the way that this system is expected to have.
 */
export class FirstFound implements Sampler {
  readonly name: string;
  readonly periodMs: number;
  readonly timeoutMs: number;
  readonly #candidates: readonly [Sampler, ...Sampler[]];
  #chosen: Sampler | undefined;

  constructor(candidates: readonly [Sampler, ...Sampler[]]) {
    this.#candidates = candidates;
    this.name = candidates[0].name;
    this.periodMs = candidates[0].periodMs;
    this.timeoutMs = candidates[0].timeoutMs;
  }

  async find(): Promise<Finding> {
    let first: Finding | undefined;
    for (const candidate of this.#candidates) {
      const finding = await candidate.find();
      if (finding.found) {
        this.#chosen = candidate;
        return finding;
      }
      first ??= finding;
    }
    this.#chosen = undefined;
    return first!;
  }

  async sample(signal: AbortSignal): Promise<ReportPart> {
    return (await this.#chosen?.sample(signal)) ?? {};
  }

  facts(): SamplerFacts {
    return this.#chosen?.facts?.() ?? {};
  }

  async stop(): Promise<void> {
    for (const candidate of this.#candidates) await candidate.stop?.();
  }
}
