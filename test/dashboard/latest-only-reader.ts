import type { LatestReport, StoredFacts, StoreReader } from '../../collector/store/port.ts';

/** A store that holds only what is newest, as a dashboard reads it at its start. */
export class LatestOnlyReader implements Pick<StoreReader, 'clusters' | 'latest' | 'facts'> {
  readonly kind = 'sqlite';
  rows: LatestReport[] = [];
  knownFacts: StoredFacts[] = [];
  /** Set, every question is answered with it. */
  failure: Error | undefined;

  async clusters(): Promise<string[]> {
    this.#check();
    return [...new Set(this.rows.map(({ report }) => report.clusterId))];
  }

  async latest(): Promise<LatestReport[]> {
    this.#check();
    return this.rows;
  }

  async facts(): Promise<StoredFacts[]> {
    this.#check();
    return this.knownFacts;
  }

  #check(): void {
    if (this.failure) throw this.failure;
  }
}
