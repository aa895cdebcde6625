import type { NodeState } from '../../telemetry/node-state.ts';
import { ageInWords, clusterSentence } from '../../telemetry/status-sentence.ts';
import { percent, watts } from './format.ts';
import { Header } from './header.tsx';
import { allNodes, cluster, cut, cutForMs, history, now, openNode } from './model.ts';
import { NodePanels } from './node-panels.tsx';
import { Pipeline } from './pipeline.tsx';
import { Shape, type ShownState } from './state-mark.tsx';
import { Graph } from './strip.tsx';
import { Tile } from './tile.tsx';
import { Totals } from './totals.tsx';

export function App() {
  const view = cluster.value;
  if (!view) return <p class="opening">Opening the stream …</p>;
  const { nodeIds } = view;
  const chosen = nodeIds.length === 1 ? nodeIds[0] : nodeIds.find((nodeId) => nodeId === openNode.value);
  return (
    <div class="screen" data-cut={cut.value} data-solo={nodeIds.length === 1}>
      <Header />
      <Totals />
      <Sentence />
      <Notices />
      {chosen === undefined ? (
        <main
          class="tiles"
          data-dense={rowsFor(nodeIds.length) > 2}
          style={{ '--rows': String(rowsFor(nodeIds.length)), '--columns': String(columnsFor(nodeIds.length)) }}
        >
          {nodeIds.map((nodeId) => (
            <Tile key={nodeId} nodeId={nodeId} />
          ))}
        </main>
      ) : (
        <NodePanels nodeId={chosen} alone={nodeIds.length === 1} />
      )}
      <Pipeline />
      {history.value.every((point) => point.powerWatts === null) ? (
        <Graph quantity="cpuUsageRatio" label="CPU" words={(value) => `${percent(value)} %`} leastTop={0.2} />
      ) : (
        <Graph quantity="powerWatts" label="power" words={(value) => `${watts(value)} W`} leastTop={1} />
      )}
    </div>
  );
}

/** Two rows up to ten boards; then tiles shrink to a third row before anything has to be scrolled. */
function rowsFor(count: number): number {
  return count <= 3 ? 1 : count <= 10 ? 2 : count <= 18 ? 3 : 4;
}

function columnsFor(count: number): number {
  return Math.max(1, Math.min(6, Math.ceil(count / rowsFor(count))));
}

/** The worst state that is shown, for the mark before the sentence. */
function worst(): ShownState {
  if (cut.value) return 'old';
  const states = new Set(allNodes().map(({ status }) => status.state));
  const order: ShownState[] = ['silent', 'stalled', 'late', 'warning'];
  const found = order.find((state) => states.has(state as NodeState));
  // A way that has just opened has stalled nobody: its boards are waited for.
  if (found === 'stalled' && cluster.value?.pipeline.readable) return 'expected';
  return found ?? (states.has('live') ? 'live' : 'expected');
}

function Sentence() {
  const view = cluster.value;
  if (!view) return null;
  const situation = { nodes: allNodes().map(({ status }) => status), pipeline: view.pipeline };
  const state = worst();
  const sentence = cut.value
    ? `No answer from the dashboard for ${ageInWords(cutForMs.value)}: what stands here is old.`
    : clusterSentence(situation, now.value);
  return (
    <>
      <p class="sentence" data-state={state}>
        <Shape state={state} />
        <span>{sentence}</span>
      </p>
      {/* Without ages: a screen reader hears what happened once, not a running stopwatch. */}
      <p class="unseen" role="status">
        {cut.value ? 'No answer from the dashboard: what stands here is old.' : clusterSentence(situation)}
      </p>
    </>
  );
}

function Notices() {
  const notices = cluster.value?.notices ?? [];
  if (notices.length === 0) return null;
  return (
    <ul class="notices">
      {notices.map(({ severity, text }) => (
        <li key={text} data-severity={severity}>
          {text}
        </li>
      ))}
    </ul>
  );
}
