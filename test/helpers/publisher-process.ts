/**
 * Real agents of simulated boards in a process of their own, to be killed by fault tests. Each acknowledgement is
 * written to the ledger before anything else happens, as one line of JSON: {"nodeId","runId","seq","acknowledgedAt"}.
 *
 *   node test/helpers/publisher-process.ts --brokers H:P[,H:P] --prefix P --ledger FILE
 *        [--cluster C] [--nodes a,b,c] [--rate REPORTS_PER_SECOND_AND_NODE] [--spool DIR] [--spool-bytes N]
 *
 * Prints {"event":"started","nodes":[{"nodeId","runId"}]} and, after SIGTERM or SIGINT,
 * {"event":"stopped","nodes":[{"nodeId","runId","sampled","acknowledged","notSent","waiting"}]}, one line each.
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Agent } from '../../agent/agent.ts';
import { readHostClock } from '../../agent/host-clock.ts';
import { KafkaSink } from '../../agent/publish/kafka-sink.ts';
import { simulatedBoards, simulatedFacts, simulatedSamplers } from '../../agent/simulated-board.ts';
import { OnePartitionProducer } from '../../kafka/producer.ts';
import { systemClock as clock } from '../../lib/clock.ts';
import { jsonLog } from '../../lib/log.ts';

const { values } = parseArgs({
  options: {
    brokers: { type: 'string' },
    prefix: { type: 'string' },
    ledger: { type: 'string' },
    cluster: { type: 'string', default: 'case' },
    nodes: { type: 'string', default: 'a,b,c' },
    rate: { type: 'string', default: '1' },
    spool: { type: 'string' },
    'spool-bytes': { type: 'string', default: String(64 * 1024 * 1024) },
  },
});
const { brokers, prefix, ledger } = values;
if (brokers === undefined || prefix === undefined || ledger === undefined) {
  throw new Error('--brokers, --prefix and --ledger are needed');
}

const log = jsonLog('info', process.stderr);
const host = await readHostClock({ procfs: '/proc', clock });
const nodeIds = values.nodes.split(',');
const intervalMs = Math.max(1, Math.round(1000 / Number(values.rate)));
const boards = simulatedBoards(nodeIds.length);

const agents = nodeIds.map((nodeId, index) => {
  const board = boards[index] as (typeof boards)[number];
  const settings = { brokers: brokers.split(','), clientId: `publisher-${nodeId}` };
  const agent: Agent = new Agent({
    identity: { clusterId: values.cluster, nodeId, bootId: host.bootId, simulated: true },
    intervalMs,
    samplers: simulatedSamplers({ board, seed: 1, clock, intervalMs }),
    facts: async () => simulatedFacts({ board, intervalMs, versions: {} }),
    sink: new KafkaSink({ producer: new OnePartitionProducer({ settings, clock, log }), topicPrefix: prefix }),
    ...(values.spool !== undefined && {
      spool: {
        directory: join(values.spool, nodeId),
        maxBytes: Number(values['spool-bytes']),
        maxAgeMs: 7 * 86_400_000,
      },
    }),
    clock,
    log: log.child({ nodeId }),
    uptimeMs: () => host.uptimeMs(),
    clockSynchronised: () => true,
    acknowledged(ids) {
      const acknowledgedAt = clock.now();
      appendFileSync(ledger, ids.map((id) => `${JSON.stringify({ nodeId, ...id, acknowledgedAt })}\n`).join(''));
    },
  });
  return { nodeId, agent };
});

let stopping = false;
async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  await Promise.all(agents.map(({ agent }) => agent.stop()));
  tell(
    'stopped',
    agents.map(({ nodeId, agent }) => ({ nodeId, runId: agent.runId, ...agent.counts() })),
  );
  process.exit(0);
}

function tell(event: string, nodes: object[]): void {
  process.stdout.write(`${JSON.stringify({ event, nodes })}\n`);
}

process.on('SIGTERM', stop);
process.on('SIGINT', stop);
await Promise.all(agents.map(({ agent }) => agent.start()));
tell(
  'started',
  agents.map(({ nodeId, agent }) => ({ nodeId, runId: agent.runId })),
);
