import { join } from 'node:path';
import { Agent } from '../../agent/agent.ts';
import { EnergyKeeper } from '../../agent/energy-keeper.ts';
import { type FactsPart, gatherFacts } from '../../agent/facts.ts';
import { readHostClock } from '../../agent/host-clock.ts';
import { isOwnSystem } from '../../agent/own-system.ts';
import { boardSamplers } from '../../agent/samplers/board-samplers.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import type { RecordSink } from '../../telemetry/link.ts';
import type { Settings } from '../settings.ts';
import { versions } from '../version.ts';
import { requireFullScale } from './rails.ts';

export interface AgentParts {
  sink: RecordSink;
  /** Where reports wait while the sink is away; without it what the sink can't take is given up. */
  spool?: { directory: string; maxBytes: number; maxAgeMs: number } | undefined;
  /** Carries the joules of the rails over a restart, in files. */
  keepsEnergy?: boolean;
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

/** The agent of this machine. Throws CONFIG_INVALID where a shunt is too large for the board. */
export async function makeAgent(settings: Settings, parts: AgentParts): Promise<Agent> {
  const { config, clusterId, nodeId, intervalMs } = settings;
  const { clock, log, factsGathered, keepsEnergy = false, ...rest } = parts;
  const { dataDir, runtimeDirectory } = settings;
  await requireFullScale(settings);
  const host = await readHostClock({ procfs: config.path.procfs, clock });
  const samplers = boardSamplers({
    clock,
    ...config.path,
    intervalMs,
    ownSystem: await isOwnSystem(config.path.procfs),
    rails: config.rails,
    ...(keepsEnergy && {
      energyKeeper: new EnergyKeeper({ directory: join(dataDir, 'energy'), runtimeDirectory, clock, log }),
    }),
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
