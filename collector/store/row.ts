import type { Claim } from '../../telemetry/accounting.ts';
import { nodePower } from '../../telemetry/power.ts';
import type { Report } from '../../telemetry/report.ts';
import type { PlacedReport } from '../record.ts';
import { dayOf, LAST_INSTANT_MS } from './days.ts';
import type { StoredReport } from './port.ts';

export type ColumnValue = string | number | boolean | undefined;

/** The columns of node_health_by_node_date in the order of both schemas; `day` to `seq` are the end of the key. */
export const REPORT_COLUMNS = [
  'cluster_id',
  'node_id',
  'day',
  'ts',
  'run_id',
  'seq',
  'appended_at',
  'reported_at',
  'schema_version',
  'boot_id',
  'uptime_ms',
  'interval_ms',
  'clock_synchronised',
  'drained',
  'goodbye',
  'simulated',
  'cpu_usage_ratio',
  'cpu_frequency_hertz',
  'load_one_minute',
  'load_five_minutes',
  'load_fifteen_minutes',
  'memory_total_bytes',
  'memory_available_bytes',
  'swap_total_bytes',
  'swap_free_bytes',
  'temperature_celsius',
  'power_watts',
  'spool_waiting_reports',
  'spool_waiting_bytes',
  'rails',
  'claim',
  'detail',
] as const;

export type ReportColumn = (typeof REPORT_COLUMNS)[number];

/** Columns that hold a number out of a section of the report. */
type ScalarColumn = Extract<
  ReportColumn,
  | `cpu_${string}`
  | `load_${string}`
  | `memory_${string}`
  | `swap_${string}`
  | `temperature_${string}`
  | `spool_${string}`
>;

/** One row by column name; absent values are undefined, never null, because null makes tombstones in Cassandra. */
export type ReportRow = { [name in ReportColumn]?: ColumnValue } & {
  cluster_id: string;
  node_id: string;
  day: string;
  ts: number;
  run_id: string;
  seq: number;
};

/** A row as a store gives it back: SQLite says null for absent and 0 or 1 for booleans. */
export type FetchedRow = { [name in ReportColumn]?: ColumnValue | null };

/** Scalars that are columns of their own, so that a store can be asked for them without reading JSON. */
const SECTION_SCALARS: Record<string, Record<string, ScalarColumn>> = {
  cpu: { usageRatio: 'cpu_usage_ratio', frequencyHertz: 'cpu_frequency_hertz' },
  load: {
    oneMinute: 'load_one_minute',
    fiveMinutes: 'load_five_minutes',
    fifteenMinutes: 'load_fifteen_minutes',
  },
  memory: {
    totalBytes: 'memory_total_bytes',
    availableBytes: 'memory_available_bytes',
    swapTotalBytes: 'swap_total_bytes',
    swapFreeBytes: 'swap_free_bytes',
  },
  temperature: { temperatureCelsius: 'temperature_celsius' },
  spool: { waitingReports: 'spool_waiting_reports', waitingBytes: 'spool_waiting_bytes' },
};

/** Read less often than once per report; between two readings the last one is repeated with `sampledAt`. */
const SLOW_SECTIONS: readonly string[] = ['storage', 'network', 'docker', 'throttling', 'self'];

/** A report is at most 64 KiB; re-encoding can widen numbers, never this far. */
const MAX_ROW_CHARACTERS = 512 * 1024;

/** Written whenever the claim says nothing: leaving the column out would keep the claim of an earlier sending. */
const EMPTY_CLAIM = '';

/** Makes the row of a report, or says why none can be made. Never throws for a report that fits its schema. */
export function toRow({ report, placedAt, appendedAt }: PlacedReport): { row: ReportRow } | { refused: string } {
  if (!Number.isInteger(placedAt) || placedAt < 0 || placedAt > LAST_INSTANT_MS) {
    return { refused: `its time, ${placedAt}, lies outside of the years 1970 to 9999` };
  }
  if (!report.runId.isWellFormed() || !report.bootId.isWellFormed()) {
    return { refused: 'runId or bootId holds half a character (a lone surrogate)' };
  }
  const {
    schemaVersion,
    clusterId,
    nodeId,
    bootId,
    runId,
    timestamp,
    simulated,
    seq,
    uptimeMs,
    clockSynchronised,
    drained,
    intervalMs,
    goodbye,
    claim,
    rails,
    ...sections
  } = report;
  const row: ReportRow = {
    cluster_id: clusterId,
    node_id: nodeId,
    day: dayOf(placedAt),
    ts: placedAt,
    run_id: runId,
    seq,
    appended_at: appendedAt,
    reported_at: timestamp === placedAt ? undefined : timestamp,
    schema_version: schemaVersion,
    boot_id: bootId,
    uptime_ms: uptimeMs,
    interval_ms: intervalMs,
    clock_synchronised: clockSynchronised,
    drained,
    goodbye,
    simulated,
    power_watts: nodePower(rails),
    rails: rails === undefined ? undefined : JSON.stringify(rails),
    claim: claimIsEmpty(claim) ? EMPTY_CLAIM : JSON.stringify(claim),
  };
  row.detail = detailOf(sections, row);
  const characters = ((row.rails as string)?.length ?? 0) + ((row.detail as string)?.length ?? 0);
  if (characters > MAX_ROW_CHARACTERS) {
    return { refused: `its row would be ${characters} characters long, at most ${MAX_ROW_CHARACTERS} are stored` };
  }
  return { row };
}

/** The values of a row in the order of REPORT_COLUMNS. */
export function rowValues(row: ReportRow): ColumnValue[] {
  return REPORT_COLUMNS.map((name) => row[name]);
}

/** The report of a row: equal to the one that was stored, less what it repeated from an earlier reading. */
export function fromRow(row: FetchedRow): StoredReport {
  const detail = typeof row.detail === 'string' ? (JSON.parse(row.detail) as Record<string, object>) : {};
  const sections: Record<string, object> = { ...detail };
  for (const [section, scalars] of Object.entries(SECTION_SCALARS)) {
    const values: Record<string, unknown> = {};
    for (const [field, column] of Object.entries(scalars)) {
      if (present(row[column])) values[field] = row[column];
    }
    if (Object.keys(values).length > 0) sections[section] = { ...detail[section], ...values };
  }
  const placedAt = row.ts as number;
  const report = {
    schemaVersion: row.schema_version,
    clusterId: row.cluster_id,
    nodeId: row.node_id,
    bootId: row.boot_id,
    runId: row.run_id,
    timestamp: present(row.reported_at) ? row.reported_at : placedAt,
    ...(present(row.simulated) && { simulated: true }),
    seq: row.seq,
    uptimeMs: row.uptime_ms,
    clockSynchronised: Boolean(row.clock_synchronised),
    drained: Boolean(row.drained),
    intervalMs: row.interval_ms,
    ...(present(row.goodbye) && { goodbye: true }),
    claim: claimOf(row.claim),
    ...(typeof row.rails === 'string' && { rails: JSON.parse(row.rails) }),
    ...sections,
  } as Report;
  return { report, placedAt, appendedAt: row.appended_at as number };
}

/** The claim of a row's `claim` column. */
export function claimOf(column: unknown): Claim {
  return column ? (JSON.parse(String(column)) as Claim) : { unacknowledged: [], dropped: [] };
}

function claimIsEmpty({ unacknowledged, dropped, earlierRuns }: Claim): boolean {
  return unacknowledged.length === 0 && dropped.length === 0 && earlierRuns === undefined;
}

/** Lists and fields that this version doesn't know. Moves the typed scalars of each section into `row`. */
function detailOf(sections: Record<string, unknown>, row: ReportRow): string | undefined {
  const kept: [string, unknown][] = [];
  for (const [name, section] of Object.entries(sections)) {
    if (section === undefined) continue;
    const scalars = Object.hasOwn(SECTION_SCALARS, name) ? SECTION_SCALARS[name] : undefined;
    if (scalars !== undefined) {
      const rest = takeScalars(section as Record<string, unknown>, scalars, row);
      if (rest !== undefined) kept.push([name, rest]);
    } else if (!SLOW_SECTIONS.includes(name) || (section as { sampledAt?: number }).sampledAt === undefined) {
      kept.push([name, section]);
    }
  }
  // fromEntries makes own properties, so that a field called "__proto__" stays a field.
  return kept.length === 0 ? undefined : JSON.stringify(Object.fromEntries(kept));
}

/** What is left of a section; undefined when a column tells that the section is there and nothing else is in it. */
function takeScalars(
  section: Record<string, unknown>,
  scalars: Record<string, ScalarColumn>,
  row: ReportRow,
): object | undefined {
  const rest: [string, unknown][] = [];
  let taken = 0;
  for (const [field, value] of Object.entries(section)) {
    const column = Object.hasOwn(scalars, field) ? scalars[field] : undefined;
    if (column !== undefined && typeof value === 'number') {
      row[column] = value;
      taken += 1;
    } else if (value !== undefined) rest.push([field, value]);
  }
  return rest.length === 0 && taken > 0 ? undefined : Object.fromEntries(rest);
}

function present(value: ColumnValue | null): value is string | number | boolean {
  return value !== null && value !== undefined;
}
