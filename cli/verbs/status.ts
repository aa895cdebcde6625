import { styleText } from 'node:util';
import { isHeard, type NodeStatus, type Status } from '../../telemetry/status.ts';
import { ageInWords } from '../../telemetry/status-sentence.ts';
import { settingsOf, type VerbContext } from '../context.ts';
import { json } from '../output/machine.ts';
import { type Column, table } from '../output/table.ts';
import { celsius, count, percent, watts } from '../output/units.ts';
import { statusOfServer, statusOfStore, withTimeout } from '../wire/look.ts';

const DEGRADED = 4;

/** A node that was stopped said so; all of these did not. */
const DEGRADED_STATES = new Set<NodeStatus['state']>(['silent', 'late', 'stalled', 'expected']);

/** `ericht status`: nodes, power, and whether reports get through. */
export async function run(context: VerbContext): Promise<number> {
  const { args, stdout } = context;
  const { server } = args.flags;
  const asking = server === undefined ? statusOfStore(context, settingsOf(context)) : statusOfServer(server);
  const status = await withTimeout(context, asking, '10s');
  stdout.write(args.output === 'json' ? json(withIsoInstants(status)) : inWords(context, status));
  return isDegraded(status) ? DEGRADED : 0;
}

function isDegraded({ nodes, pipeline }: Status): boolean {
  return !pipeline.readable || !pipeline.store.reachable || nodes.some(({ state }) => DEGRADED_STATES.has(state));
}

/** Wall time leaves the command line as ISO 8601 in UTC; ages and durations stay numbers. */
function withIsoInstants({ at, nodes, pipeline, ...rest }: Status): object {
  const { since, ...way } = pipeline;
  return {
    ...rest,
    at: iso(at),
    nodes: nodes.map(({ lastSeenAt, ...node }) => ({
      ...node,
      ...(lastSeenAt !== undefined && { lastSeenAt: iso(lastSeenAt) }),
    })),
    // 0 stands for "as long as anybody here knows".
    pipeline: { ...way, ...(since > 0 && { since: iso(since) }) },
  };
}

function iso(instant: number): string {
  return new Date(instant).toISOString();
}

function inWords({ args, colour }: VerbContext, status: Status): string {
  const { flags } = args;
  const headers = !('no-headers' in flags);
  const nodes = table(status.nodes, columns(status, colour), { fields: flags.fields, headers });
  // Asked for columns alone, a script gets nothing else.
  if (flags.fields !== undefined) return nodes;
  const lines = [status.sentence, '', nodes.trimEnd(), '', powerLine(status), pipelineLine(status)];
  if (status.simulated) lines.unshift('Simulated: no value here was measured.');
  return `${lines.join('\n')}\n`;
}

function columns(status: Status, colour: boolean): Column<NodeStatus>[] {
  const hue = { live: 'green', warning: 'yellow', late: 'yellow', stalled: 'yellow', silent: 'red' } as const;
  const paint = ({ state }: NodeStatus, padded: string) =>
    state in hue ? styleText(hue[state as keyof typeof hue], padded, { validateStream: false }) : padded;
  const all: Column<NodeStatus>[] = [
    { name: 'node', text: ({ nodeId }) => nodeId },
    { name: 'state', text: ({ state }) => state, paint: colour ? paint : undefined },
    {
      name: 'age',
      align: 'right',
      text: ({ reportAgeMs }) => (reportAgeMs === undefined ? undefined : ageInWords(reportAgeMs)),
    },
    { name: 'power', align: 'right', text: fresh(({ powerWatts }) => watts(powerWatts)) },
    { name: 'temperature', align: 'right', text: fresh(({ temperatureCelsius }) => celsius(temperatureCelsius)) },
    { name: 'cpu', align: 'right', text: fresh(({ cpuUsageRatio }) => percent(cpuUsageRatio)) },
    { name: 'containers', align: 'right', text: fresh(({ runningContainers }) => count(runningContainers)) },
  ];
  if (status.simulated) all.push({ name: 'source', text: ({ simulated }) => (simulated ? 'simulated' : 'measured') });
  all.push({ name: 'attention', text: ({ warnings }) => warnings.join('; ') });
  return all;
}

/** The last values of a node that is not heard describe the past: in a table they would look like the present. */
function fresh(text: (node: NodeStatus) => string | undefined): (node: NodeStatus) => string | undefined {
  return (node) => (isHeard(node.state) ? text(node) : undefined);
}

function powerLine({ power }: Status): string {
  const { powerWatts, basis, measuredNodes, nodes } = power;
  if (powerWatts === undefined) return 'Power      not measured';
  const what = basis === 'inlet' ? 'at the inlet' : `sum of ${measuredNodes} of ${nodes} nodes; inlet not measured`;
  return `Power      ${watts(powerWatts)}, ${what}`;
}

function pipelineLine({ pipeline }: Status): string {
  const { transport, readable, since, problem, brokersOnline, brokersExpected, collectorLag, store } = pipeline;
  const brokers = brokersExpected === undefined ? brokersOnline : `${brokersOnline} of ${brokersExpected}`;
  // Without a page to ask, nobody knows of the link whether it works: reports that stay away tell.
  const way =
    transport === 'link'
      ? `link${since === 0 ? '' : readable ? ' open' : ' closed'}`
      : `Kafka ${readable ? 'readable' : 'not readable'}${brokers === undefined ? '' : `, ${brokers} brokers`}${problem ? ` (${problem})` : ''}`;
  const lag = collectorLag === undefined ? undefined : `lag ${count(collectorLag)}`;
  const kept = `${store.kind === 'sqlite' ? 'SQLite' : 'Cassandra'} ${store.reachable ? 'answers' : `fails: ${store.problem ?? 'it does not answer'}`}`;
  return `Pipeline   ${[way, lag, kept].filter(Boolean).join(' -> ')}`;
}
