import type { AuditResult } from '../../collector/audit.ts';
import type { Clock } from '../../lib/clock.ts';
import { parseDuration } from '../../lib/duration.ts';
import { ErichtError } from '../../lib/errors.ts';
import { say, settingsOf, type VerbContext } from '../context.ts';
import { json, type MachineRow, machineRows } from '../output/machine.ts';
import { type Column, table } from '../output/table.ts';
import { counted } from '../output/units.ts';
import type { Settings } from '../settings.ts';
import { kafkaAsideReader } from '../wire/kafka.ts';
import { chooseCluster, lookLog, openToLook, withTimeout } from '../wire/look.ts';
import { makeStore } from '../wire/store.ts';

const DEGRADED = 4;
const FIRST_INSTANT = new Date(0).toISOString();

/** `ericht audit`: what was lost, stored twice, or never sent. */
export async function run(context: VerbContext): Promise<number> {
  const { args, clock, stdout } = context;
  const since = args.flags.since === undefined ? undefined : instantOf(args.flags.since, '--since', clock);
  const until = args.flags.until === undefined ? undefined : instantOf(args.flags.until, '--until', clock);
  if (since !== undefined && until !== undefined && since >= until) {
    throw new ErichtError('USAGE', {
      what: '--since must be earlier than --until',
      next: 'an age such as 2h counts back from now',
    });
  }
  const result = await withTimeout(context, judge(context, settingsOf(context), since, until), '10m');
  const options = { fields: args.flags.fields, headers: !('no-headers' in args.flags) };
  if (args.output === 'json') stdout.write(json(result));
  else if (args.output === 'table') stdout.write(inWords(result, options));
  else stdout.write(machineRows(rowsOf(result).map(machineRow), FIELDS, args.output, options));
  return result.totals.lost > 0 || result.totals.duplicates > 0 ? DEGRADED : 0;
}

/** ISO 8601, or an age such as 2h. Throws USAGE. */
function instantOf(text: string, flag: string, clock: Clock): number {
  if (/^\d+(\.\d+)?(ms|s|m|h|d|w)$/.test(text)) return clock.now() - parseDuration(text, flag);
  const instant = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(instant)) return instant;
  const next = 'write ISO 8601 such as 2026-05-01T14:00:00Z, or an age such as 2h';
  throw new ErichtError('USAGE', { what: `${flag} is not a time: "${text}"`, next });
}

async function judge(
  context: VerbContext,
  settings: Settings,
  since: number | undefined,
  until: number | undefined,
): Promise<AuditResult> {
  const { clock, verbose } = context;
  const { audit } = await import('../../collector/audit.ts');
  const log = lookLog(context);
  const { store, aside, place } = await makeStore(settings, { access: 'read', clock, log });
  if (verbose) say(context, `The answer comes from ${place}.`);
  const isLink = settings.config.transport === 'link';
  const setAside = isLink && aside ? aside : await kafkaAsideReader(settings, { clock, log });
  try {
    await openToLook(store, settings);
    return await audit({
      reader: store,
      aside: setAside,
      clusterId: await chooseCluster(settings, store),
      ...(since !== undefined && { sinceMs: since }),
      ...(until !== undefined && { untilMs: until }),
      nowMs: await store.nowMs(),
    });
  } finally {
    await store.stop();
  }
}

type Run = AuditResult['nodes'][number]['runs'][number];
type Row = Run & { clusterId: string; nodeId: string };

const COUNTS = [
  'stored',
  'lost',
  'duplicates',
  'onItsWay',
  'notSent',
  'waiting',
  'unknown',
  'deadLettered',
  'overflowed',
] as const;
const FIELDS = [
  'clusterId',
  'nodeId',
  'runId',
  'fromSeq',
  'nextSeq',
  'acknowledged',
  ...COUNTS,
  'goodbye',
  'untoldFrom',
];

function rowsOf({ nodes }: AuditResult): Row[] {
  return nodes.flatMap(({ clusterId, nodeId, runs }) => runs.map((run) => ({ ...run, clusterId, nodeId })));
}

function machineRow(row: Row): MachineRow {
  return Object.fromEntries(FIELDS.map((field) => [field, row[field as keyof Row] as MachineRow[string]]));
}

function inWords(result: AuditResult, options: { fields: string | undefined; headers: boolean }): string {
  const text = table(rowsOf(result), COLUMNS, options);
  if (options.fields !== undefined) return text;
  const { totals, unattributed, from, to } = result;
  const parts = [`${totals.lost} lost`, `${totals.duplicates} duplicates`, `${totals.stored} stored`];
  if (totals.onItsWay > 0) parts.push(`${totals.onItsWay} on their way`);
  if (totals.notSent > 0) parts.push(`${totals.notSent} not sent`);
  if (totals.unknown > 0) parts.push(`${totals.unknown} unknown`);
  const lines = [
    `${parts.join(', ')}; ${counted(totals.runs, 'run')} of ${counted(totals.nodes, 'node')} ${from > FIRST_INSTANT ? `from ${from} ` : ''}to ${to}.`,
  ];
  if (totals.untoldRuns > 0) {
    lines.push(
      `${counted(totals.untoldRuns, 'run')} ended without a goodbye: what they sampled last is unknown, and not counted as stored or lost.`,
    );
  }
  const nameless = unattributed.deadLettered + unattributed.overflowed;
  if (nameless > 0) lines.push(`${nameless} records set aside don't tell whose they are.`);
  return `${text}${text ? '\n' : ''}${lines.join('\n')}\n${troubles(result)}`;
}

/** Neither is known of a run that goes on, or that went silent less than the grace ago. */
function endOf({ goodbye, untoldFrom }: Row): string | undefined {
  if (goodbye) return 'with a goodbye';
  return untoldFrom === undefined ? undefined : 'without a goodbye';
}

/** Where exactly: what is lost or stored twice is looked for by seq and time. */
function troubles(result: AuditResult): string {
  const lines = rowsOf(result).flatMap(({ nodeId, runId, gaps, duplicateRows }) => [
    ...gaps
      .filter(({ verdict }) => verdict === 'lost')
      .map(({ from, to }) => `  lost: ${nodeId} run ${runId} seq ${from === to ? from : `${from} to ${to}`}`),
    ...duplicateRows.map(
      ({ seq, rowTimes }) => `  stored twice: ${nodeId} run ${runId} seq ${seq} at ${rowTimes.join(' and ')}`,
    ),
  ]);
  return lines.length === 0 ? '' : `\n${lines.join('\n')}\n`;
}

const COLUMNS: Column<Row>[] = [
  { name: 'node', text: ({ nodeId }) => nodeId },
  { name: 'run', text: ({ runId }) => runId.slice(0, 8) },
  ...COUNTS.map((name): Column<Row> => ({ name, align: 'right', text: (row) => String(row[name]) })),
  { name: 'ended', text: endOf },
];
