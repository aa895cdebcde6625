import type { Facts } from './facts.ts';
import type { Report } from './report.ts';

/** Two boards are told as long as they were heard by turns within this time; at long intervals, within a few of those. */
const WINDOW_MS = 60_000;
const WINDOW_INTERVALS = 4;

/**
 * How often runs must have come back after another one. A report that a dead run had on its way may arrive behind the
 * first ones of its successor: that makes two returns, and never a third.
 */
const RETURNS_OF_RUNS = 3;
/** Facts are rare: a serial that comes back is enough. */
const RETURNS_OF_SERIALS = 1;

/** Of one node; those heard last are kept, and as many returns. */
const MOST_SPEAKERS = 8;

type IdentityOfReport = Pick<Report, 'clusterId' | 'nodeId' | 'bootId' | 'runId' | 'seq' | 'intervalMs' | 'drained'>;
type IdentityOfFacts = Pick<Facts, 'clusterId' | 'nodeId' | 'bootId' | 'hardwareSerial'>;

/**
 * Sees when two boards, or two agents, speak under one nodeId: their reports come by turns, A, B, A, B, A. A board that
 * was rebooted or replaced, and an agent that was restarted, are silent from then on, and what they left is sent as
 * drained. All instants of one object are on one clock, whichever its owner takes. Pure: it reads no clock.
 */
export class IdentityConflicts {
  readonly #nodes = new Map<string, NodeVoices>();

  /** Reports of a node in the order in which they were appended; one that is seen again changes nothing. */
  report(report: IdentityOfReport, atMs: number): void {
    // A drained report may be of any earlier run: its sender speaks in live ones.
    if (report.drained) return;
    const { runs } = this.#node(report);
    runs.heard({ id: report.runId, bootId: report.bootId, place: report.seq, atMs });
    runs.windowMs = Math.max(WINDOW_MS, WINDOW_INTERVALS * report.intervalMs);
  }

  /** `appendedAt` tells facts that are seen again. */
  facts(facts: IdentityOfFacts, appendedAt: number, atMs: number): void {
    const { hardwareSerial, bootId } = facts;
    if (hardwareSerial === undefined || hardwareSerial === '') return;
    const node = this.#node(facts);
    node.serials.heard({ id: hardwareSerial, bootId, place: appendedAt, atMs });
    node.rememberSerial(bootId, hardwareSerial);
  }

  /** One sentence for a person; undefined while one board, and one agent, speaks for the node. */
  warning(clusterId: string, nodeId: string, nowMs: number): string | undefined {
    const node = this.#nodes.get(keyOf({ clusterId, nodeId }));
    if (!node) return undefined;
    const serials = node.serials.inConflict(nowMs).map(({ id }) => id);
    if (serials.length > 1) return boardsSentence(nodeId, 'serials', serials);
    const runs = node.runs.inConflict(nowMs);
    if (runs.length < 2) return undefined;
    const boots = [...new Set(runs.map(({ bootId }) => bootId))];
    if (boots.length < 2) {
      return `${inWords(runs.length)} agents on one board report as ${nodeId}: stop one, or give it another nodeId`;
    }
    const known = new Set(boots.flatMap((bootId) => node.serialOf(bootId) ?? []));
    if (known.size === boots.length) return boardsSentence(nodeId, 'serials', [...known]);
    return boardsSentence(nodeId, 'boots', boots);
  }

  #node(of: { clusterId: string; nodeId: string }): NodeVoices {
    const key = keyOf(of);
    let node = this.#nodes.get(key);
    if (!node) {
      node = new NodeVoices();
      this.#nodes.set(key, node);
    }
    return node;
  }
}

function keyOf({ clusterId, nodeId }: { clusterId: string; nodeId: string }): string {
  return `${clusterId}/${nodeId}`;
}

class NodeVoices {
  readonly runs = new Turns(RETURNS_OF_RUNS);
  readonly serials = new Turns(RETURNS_OF_SERIALS);
  readonly #serialOfBoot = new Map<string, string>();

  rememberSerial(bootId: string, serial: string): void {
    this.#serialOfBoot.delete(bootId);
    this.#serialOfBoot.set(bootId, serial);
    const [oldest] = this.#serialOfBoot.keys();
    if (this.#serialOfBoot.size > MOST_SPEAKERS && oldest !== undefined) this.#serialOfBoot.delete(oldest);
  }

  serialOf(bootId: string): string | undefined {
    return this.#serialOfBoot.get(bootId);
  }
}

interface Words {
  id: string;
  bootId: string;
  /** Rises from one record of a speaker to the next. */
  place: number;
  atMs: number;
}

/** Who spoke when, as far as it takes to tell turns from a change of speakers. */
class Turns {
  windowMs = WINDOW_MS;
  readonly #returnsNeeded: number;
  /** The last to be heard comes last. */
  readonly #speakers = new Map<string, Words>();
  /** Somebody came back at `atMs` after another had spoken; before that, he spoke at `fromMs`. */
  #returns: { fromMs: number; atMs: number }[] = [];

  constructor(returnsNeeded: number) {
    this.#returnsNeeded = returnsNeeded;
  }

  heard(words: Words): void {
    const { id, place, atMs } = words;
    const before = this.#speakers.get(id);
    if (before && place <= before.place) return;
    const isLast = [...this.#speakers.keys()].at(-1) === id;
    if (before && !isLast && atMs - before.atMs <= this.windowMs) {
      this.#returns = [...this.#returns, { fromMs: before.atMs, atMs }].slice(-MOST_SPEAKERS);
    }
    this.#speakers.delete(id);
    this.#speakers.set(id, words);
    const [oldest] = this.#speakers.keys();
    if (this.#speakers.size > MOST_SPEAKERS && oldest !== undefined) this.#speakers.delete(oldest);
  }

  /** Those who speak by turns, by id; none a window after the last turn. */
  inConflict(nowMs: number): Words[] {
    const first = this.#returns.at(-this.#returnsNeeded);
    const last = this.#returns.at(-1);
    if (first === undefined || last === undefined) return [];
    if (nowMs - last.atMs > this.windowMs || last.atMs - first.atMs > this.windowMs) return [];
    // Whoever has been silent since before the last turns is none of those who take them.
    const since = Math.max(this.#returns[0]?.fromMs ?? 0, last.atMs - this.windowMs);
    return [...this.#speakers.values()].filter(({ atMs }) => atMs >= since).sort((a, b) => (a.id < b.id ? -1 : 1));
  }
}

function boardsSentence(nodeId: string, what: string, names: string[]): string {
  const short = abbreviated(names.toSorted());
  const list = `${short.slice(0, -1).join(', ')} and ${short.at(-1)}`;
  return `${inWords(names.length)} boards report as ${nodeId} (${what} ${list}): give one another nodeId`;
}

function inWords(count: number): string {
  return ['no', 'one', 'two', 'three', 'four'][count] ?? String(count);
}

/** The first four characters and as many of the last as it takes to tell them apart. */
function abbreviated(names: string[]): string[] {
  for (const ending of [2, 4, 6]) {
    const short = names.map((name) => (name.length > ending + 8 ? `${name.slice(0, 4)}…${name.slice(-ending)}` : name));
    if (new Set(short).size === names.length) return short;
  }
  return names;
}
