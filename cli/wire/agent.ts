import { Agent } from '../../agent/agent.ts';
import { type FactsPart, gatherFacts } from '../../agent/facts.ts';
import { readHostClock } from '../../agent/host-clock.ts';
import { boardSamplers } from '../../agent/samplers/board-samplers.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import type { RecordSink } from '../../telemetry/link.ts';
import type { Settings } from '../settings.ts';
import { versions } from '../version.ts';

export interface AgentParts {
  sink: RecordSink;
  /** Where reports wait while the sink is away; without it what the sink can't take is given up. */
  spool?: { directory: string; maxBytes: number; maxAgeMs: number } | undefined;
  acknowledged?: ((ids: { runId: string; seq: number }[]) => void) | undefined;
  /** Told whenever the facts were gathered anew. */
  factsGathered?: (facts: FactsPart) => void;
  clock: Clock;
  log: Log;
}

export interface NamedAgent {
  nodeId: string;
  agent: Agent;
}

/** The agent of this machine. */
export async function makeAgent(settings: Settings, parts: AgentParts): Promise<Agent> {
  const { config, clusterId, nodeId, intervalMs } = settings;
  const { clock, log, factsGathered, ...rest } = parts;
  const host = await readHostClock({ procfs: config.path.procfs, clock });
  const samplers = boardSamplers({
    clock,
    ...config.path,
    intervalMs,
    rails: config.rails,
    ...(config.docker.socket && { dockerSockets: [config.docker.socket] }),
  });
  const facts = async () => {
    const synchronised = { subject: 'clock', found: host.clockSynchronised(), detail: host.synchronisedBy() };
    const gathered = await gatherFacts({
      ...config.path,
      intervalMs,
      samplers,
      versions: { ericht: versions().ericht },
      findings: [synchronised],
      clock,
    });
    factsGathered?.(gathered);
    return gathered;
  };
  return new Agent({
    identity: { clusterId, nodeId, bootId: host.bootId },
    intervalMs,
    samplers,
    facts,
    clock,
    log,
    uptimeMs: host.uptimeMs,
    clockSynchronised: host.clockSynchronised,
    ...rest,
  });
}
