import type { SeqRange } from '../telemetry/accounting.ts';
import { AUDIT_GRACE_MS, NodeAudit, type RunVerdict } from '../telemetry/audit.ts';
import { SeqSet } from '../telemetry/seq-set.ts';
import type { AsideKey, AsideReader, StoreReader } from './store/port.ts';

/**
 * The oldest rows go while the audit reads: those that are this near to it are not judged. Where a small store keeps
 * minutes, that is a part of them.
 */
const EXPIRY_MARGIN_MS = 10 * 60_000;
const EXPIRY_MARGIN_RATIO = 0.1;

/** When rows that were to be judged have gone meanwhile, all is read once more, this often at most. */
const MOST_READINGS = 3;

/** The collector stores no row that is further ahead; one day for it, and one for this clock. */
const MAX_ROW_AHEAD_MS = 2 * 86_400_000;

export interface AuditOptions {
  reader: Pick<StoreReader, 'clusters' | 'nodes' | 'keys' | 'keptSinceMs'>;
  aside: AsideReader;
  /** Default: all clusters. */
  clusterId?: string;
  /** Rows from this time on, epoch milliseconds; default, and at the earliest, what the store keeps. */
  sinceMs?: number;
  /** Rows before this time. */
  untilMs?: number;
  /** What time it is, by the store (StoreReader.nowMs): this process's own clock may be wrong. */
  nowMs: number;
  graceMs?: number;
}

/** A seq that is in more than one row, and the times of these rows. */
export interface Duplicate {
  seq: number;
  rowTimes: string[];
}

export interface AuditedRun extends Omit<RunVerdict, 'duplicates'> {
  /** Rows beyond the first of their seq. */
  duplicates: number;
  duplicateRows: Duplicate[];
}

export interface AuditTotals {
  nodes: number;
  runs: number;
  stored: number;
  acknowledged: number;
  lost: number;
  duplicates: number;
  onItsWay: number;
  notSent: number;
  waiting: number;
  unknown: number;
  /** Runs that ended without a goodbye, so that what they made last is unknown. */
  untoldRuns: number;
  deadLettered: number;
  overflowed: number;
}

export interface AuditResult {
  schemaVersion: 1;
  /** Times are UTC in ISO 8601. */
  at: string;
  from: string;
  to: string;
  graceSeconds: number;
  totals: AuditTotals;
  /** Records set aside of which the bytes don't tell node, run and seq. */
  unattributed: { deadLettered: number; overflowed: number };
  nodes: { clusterId: string; nodeId: string; runs: AuditedRun[] }[];
}

/**
 * Reads the keys of all rows, and what was set aside, and judges each run by what its node claims (telemetry/audit.ts
 * has the rules). Holds ranges, not rows. Rejects as the store and the topics do.
 */
export async function audit(options: AuditOptions): Promise<AuditResult> {
  const { reader } = options;
  let keptSinceMs = await reader.keptSinceMs();
  for (let reading = 1; ; reading += 1) {
    const result = await readAndJudge(options, keptSinceMs);
    keptSinceMs = await reader.keptSinceMs();
    if (keptSinceMs <= Date.parse(result.from) || reading === MOST_READINGS) return result;
  }
}

async function readAndJudge(options: AuditOptions, keptSinceMs: number): Promise<AuditResult> {
  const { reader, nowMs, untilMs, graceMs = AUDIT_GRACE_MS } = options;
  const marginMs = Math.min(EXPIRY_MARGIN_MS, Math.max(0, nowMs - keptSinceMs) * EXPIRY_MARGIN_RATIO);
  const fromMs = Math.max(options.sinceMs ?? 0, keptSinceMs > 0 ? Math.ceil(keptSinceMs + marginMs) : 0);
  const toMs = untilMs ?? nowMs + MAX_ROW_AHEAD_MS;
  const asides = await readAsides(options.aside, options.clusterId);
  const window = { nowMs, fromMs, graceMs, ...(untilMs !== undefined && { toMs: untilMs }) };
  const nodes: AuditResult['nodes'] = [];
  for (const clusterId of options.clusterId ? [options.clusterId] : await clustersOf(reader, asides)) {
    for (const nodeId of await nodesOf(reader, asides, clusterId)) {
      const query = { clusterId, nodeId, fromMs, toMs };
      const node = new NodeAudit(window);
      for await (const page of reader.keys(query)) for (const row of page) node.row(row);
      for (const each of asides.byNode.get(clusterId)?.get(nodeId)?.values() ?? []) {
        for (const { from, to } of each.seqs.ranges()) node.aside(each.kind, each.runId, from, to);
      }
      const verdicts = node.verdicts();
      const duplicates = await findDuplicates(reader, query, verdicts);
      if (verdicts.length > 0)
        nodes.push({ clusterId, nodeId, runs: verdicts.map((run) => withRows(run, duplicates)) });
    }
  }
  return {
    schemaVersion: 1,
    at: new Date(nowMs).toISOString(),
    from: new Date(fromMs).toISOString(),
    to: new Date(untilMs ?? nowMs).toISOString(),
    graceSeconds: graceMs / 1000,
    totals: totalsOf(nodes),
    unattributed: asides.unattributed,
    nodes,
  };
}

interface AsideRun {
  kind: AsideKey['kind'];
  runId: string;
  seqs: SeqSet;
}

interface Asides {
  /** By cluster, node, and kind with run. */
  byNode: Map<string, Map<string, Map<string, AsideRun>>>;
  unattributed: AuditResult['unattributed'];
}

async function readAsides(reader: AsideReader, onlyCluster: string | undefined): Promise<Asides> {
  const asides: Asides = { byNode: new Map(), unattributed: { deadLettered: 0, overflowed: 0 } };
  for await (const page of reader.asideKeys()) {
    for (const { kind, clusterId, nodeId, runId, seq } of page) {
      if (clusterId === undefined || nodeId === undefined || runId === undefined || seq === undefined) {
        asides.unattributed[kind === 'overflow' ? 'overflowed' : 'deadLettered'] += 1;
      } else if (onlyCluster === undefined || clusterId === onlyCluster) {
        const nodes = getOrMake(asides.byNode, clusterId, () => new Map<string, Map<string, AsideRun>>());
        const runs = getOrMake(nodes, nodeId, () => new Map<string, AsideRun>());
        getOrMake(runs, `${kind} ${runId}`, () => ({ kind, runId, seqs: new SeqSet() })).seqs.add(seq);
      }
    }
  }
  return asides;
}

/** A node of which every record was set aside is in no table. */
async function clustersOf(reader: AuditOptions['reader'], asides: Asides): Promise<string[]> {
  return [...new Set([...(await reader.clusters()), ...asides.byNode.keys()])].sort();
}

async function nodesOf(reader: AuditOptions['reader'], asides: Asides, clusterId: string): Promise<string[]> {
  const setAside = asides.byNode.get(clusterId)?.keys() ?? [];
  return [...new Set([...(await reader.nodes(clusterId)), ...setAside])].sort();
}

/** Reads the keys once more for the row times of duplicates, which are rare: so the first pass needs no row times. */
async function findDuplicates(
  reader: AuditOptions['reader'],
  query: Parameters<StoreReader['keys']>[0],
  verdicts: RunVerdict[],
): Promise<Map<string, Map<number, string[]>>> {
  const found = new Map<string, Map<number, string[]>>();
  for (const { runId, duplicates } of verdicts) {
    if (duplicates.length > 0) found.set(runId, new Map(seqsOf(duplicates).map((seq) => [seq, []])));
  }
  if (found.size === 0) return found;
  for await (const page of reader.keys(query)) {
    for (const { runId, seq, placedAt } of page) found.get(runId)?.get(seq)?.push(new Date(placedAt).toISOString());
  }
  return found;
}

function withRows(run: RunVerdict, found: Map<string, Map<number, string[]>>): AuditedRun {
  const duplicateRows = [...(found.get(run.runId) ?? [])].map(([seq, rowTimes]) => ({ seq, rowTimes }));
  const extra = duplicateRows.reduce((sum, { rowTimes }) => sum + Math.max(0, rowTimes.length - 1), 0);
  return { ...run, duplicates: extra, duplicateRows };
}

function seqsOf(ranges: SeqRange[]): number[] {
  return ranges.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, i) => from + i));
}

function totalsOf(nodes: AuditResult['nodes']): AuditTotals {
  const runs = nodes.flatMap((node) => node.runs);
  const sum = (of: (run: AuditedRun) => number) => runs.reduce((total, run) => total + of(run), 0);
  return {
    nodes: nodes.length,
    runs: runs.length,
    stored: sum((run) => run.stored),
    acknowledged: sum((run) => run.acknowledged),
    lost: sum((run) => run.lost),
    duplicates: sum((run) => run.duplicates),
    onItsWay: sum((run) => run.onItsWay),
    notSent: sum((run) => run.notSent),
    waiting: sum((run) => run.waiting),
    unknown: sum((run) => run.unknown),
    untoldRuns: sum((run) => (run.untoldFrom === undefined ? 0 : 1)),
    deadLettered: sum((run) => run.deadLettered),
    overflowed: sum((run) => run.overflowed),
  };
}

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
