import { randomUUID } from 'node:crypto';
import { Agent } from '../../agent/agent.ts';
import { readHostClock } from '../../agent/host-clock.ts';
import { simulatedBoards, simulatedFacts, simulatedSamplers } from '../../agent/simulated-board.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Settings } from '../settings.ts';
import { versions } from '../version.ts';
import type { AgentParts, NamedAgent } from './agent.ts';

/** Any will do; a fixed one shows the same case at every start. */
const SEED = 1;

/** `count` agents of boards that don't exist; every report says so. */
export async function makeSimulatedAgents(
  { clusterId, intervalMs, config }: Settings,
  count: number,
  clock: Clock,
  partsOf: (nodeId: string) => AgentParts,
): Promise<NamedAgent[]> {
  const host = await readHostClock({ procfs: config.path.procfs, clock });
  return simulatedBoards(count).map((board) => {
    const { log, factsGathered, ...rest } = partsOf(board.nodeId);
    const agent = new Agent({
      identity: { clusterId, nodeId: board.nodeId, bootId: `simulated-${randomUUID()}`, simulated: true },
      intervalMs,
      samplers: simulatedSamplers({ board, seed: SEED, clock, intervalMs }),
      facts: async () => {
        const facts = simulatedFacts({ board, intervalMs, versions: { ericht: versions().ericht } });
        factsGathered?.(facts);
        return facts;
      },
      log,
      uptimeMs: host.uptimeMs,
      clockSynchronised: host.clockSynchronised,
      ...rest,
    });
    return { nodeId: board.nodeId, agent };
  });
}
