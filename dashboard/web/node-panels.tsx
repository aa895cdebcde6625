import { isHeard, type NodeStatus } from '../../telemetry/status.ts';
import { ageInWords } from '../../telemetry/status-sentence.ts';
import type { NodeDetails } from '../messages.ts';
import { stopwatch } from './format.ts';
import { cut, node, now } from './model.ts';
import { NoPower } from './no-power.tsx';
import { Containers, Memory, Network, Processor, Rails } from './resource-panels.tsx';
import { StateMark } from './state-mark.tsx';
import { HeartbeatStrip } from './strip.tsx';

/** All that is known of one node: the whole page of a single machine, or a closer look at one of many. */
export function NodePanels({ nodeId, alone }: { nodeId: string; alone: boolean }) {
  const view = node(nodeId).value;
  if (!view) return <main class="panels" />;
  const { status, details } = view;
  const stale = cut.value || !isHeard(status.state);
  const hasPower = (details?.rails ?? []).some((rail) => rail.powerWatts !== undefined);
  return (
    <main class="panels" data-stale={stale}>
      <Board status={status} details={details} alone={alone} />
      {details ? (
        <>
          {hasPower || !alone ? <Rails details={details} /> : <NoPower findings={details.findings} />}
          <Processor status={status} details={details} />
          <Memory status={status} details={details} />
          <Network details={details} />
          <Containers details={details} />
        </>
      ) : null}
    </main>
  );
}

function Board({ status, details, alone }: { status: NodeStatus; details: NodeDetails | undefined; alone: boolean }) {
  const facts = [
    details?.model,
    details?.operatingSystem,
    [details?.kernel, details?.architecture].filter(Boolean).join(', '),
    details ? `up ${ageInWords(details.uptimeMs)}${details.clockSynchronised ? '' : '; clock not set'}` : undefined,
    details?.addresses?.slice(0, 2).join(', '),
  ].filter(Boolean);
  const ageMs = now.value - (status.lastSeenAt ?? now.value);
  return (
    <section
      class="panel board"
      data-panel="board"
      data-node={status.nodeId}
      data-state={cut.value ? 'old' : status.state}
    >
      <div class="tile-head">
        <h2 title={status.nodeId}>{status.nodeId}</h2>
        <StateMark state={cut.value ? 'old' : status.state} />
      </div>
      {alone ? null : (
        <a class="back" href="#/">
          ← all boards
        </a>
      )}
      <ul class="facts">
        {facts.map((fact) => (
          <li key={fact}>{fact}</li>
        ))}
        {status.warnings.map((warning) => (
          <li key={warning} class="warned">
            {warning}
          </li>
        ))}
      </ul>
      <p class="age">
        {status.lastSeenAt === undefined
          ? 'never seen'
          : `last report ${ageMs < 60_000 ? ageInWords(ageMs) : stopwatch(ageMs)} ago`}
      </p>
      <HeartbeatStrip nodeId={status.nodeId} intervalMs={status.intervalMs ?? 1000} />
    </section>
  );
}
