import { isHeard } from '../../telemetry/status.ts';
import { ageInWords } from '../../telemetry/status-sentence.ts';
import { celsius, decimal, percent, stopwatch, watts } from './format.ts';
import { cut, node, now } from './model.ts';
import { type ShownState, StateMark } from './state-mark.tsx';
import { HeartbeatStrip } from './strip.tsx';

/** One node among several. */
export function Tile({ nodeId }: { nodeId: string }) {
  const view = node(nodeId).value;
  if (!view) return null;
  const { status, details } = view;
  const state: ShownState = cut.value ? 'old' : status.state;
  const stale = cut.value || !isHeard(status.state);
  const { powerWatts, cpuUsageRatio } = status;
  const hasRails = (details?.rails ?? []).some((rail) => rail.measures !== 'inlet');
  const cores = details?.cores ?? details?.coreUsageRatios?.length;
  return (
    <a class="tile" href={`#/${nodeId}`} data-node={nodeId} data-state={state} data-stale={stale}>
      <span class="tile-head">
        <h2 title={nodeId}>{nodeId}</h2>
        <StateMark state={state} />
      </span>
      <span class="big">
        {hasRails ? (
          <Value text={powerWatts === undefined ? undefined : watts(powerWatts)} unit="W" stale={stale} />
        ) : (
          <Value text={cpuUsageRatio === undefined ? undefined : percent(cpuUsageRatio)} unit="% CPU" stale={stale} />
        )}
        <Age at={status.lastSeenAt} stale={stale} />
      </span>
      {status.warnings[0] && !stale ? <span class="warned">{status.warnings[0]}</span> : null}
      <span class="cells">
        <Cell label="temp." value={status.temperatureCelsius} words={(value) => `${celsius(value)} °C`} full={90} />
        <Cell label="CPU" value={cpuUsageRatio} words={(value) => `${percent(value)} %`} full={1} />
        <Cell
          label="RAM"
          value={ratio(status.memoryUsedBytes, status.memoryTotalBytes)}
          words={(value) => `${percent(value)} %`}
          full={1}
        />
        <Cell label="load" value={status.loadOneMinute} words={(value) => decimal(value, 2)} full={cores ?? 4} />
      </span>
      <HeartbeatStrip nodeId={nodeId} intervalMs={status.intervalMs ?? 1000} />
    </a>
  );
}

/** A value of the past is never shown where the present stands: "-- W (was 4.1)". */
function Value({ text, unit, stale }: { text: string | undefined; unit: string; stale: boolean }) {
  const shown = stale ? undefined : text;
  return (
    <span class="value">
      <span class="number">{shown ?? '--'}</span> <span class="unit">{unit}</span>
      {stale && text !== undefined ? <span class="was"> (was {text})</span> : null}
    </span>
  );
}

function Age({ at, stale }: { at: number | undefined; stale: boolean }) {
  if (at === undefined) return <span class="age">never seen</span>;
  const ageMs = now.value - at;
  return <span class={stale ? 'age stopwatch' : 'age'}>{stale ? stopwatch(ageMs) : `${ageInWords(ageMs)} old`}</span>;
}

interface CellProps {
  label: string;
  value: number | undefined;
  words: (value: number) => string;
  /** The value at which the bar is full. */
  full: number;
}

/** A small number with its name and a bar; left out where there is no value. */
function Cell({ label, value, words, full }: CellProps) {
  if (value === undefined) return null;
  return (
    <span class="cell">
      <span class="cell-value">{words(value)}</span>
      <span class="cell-label">{label}</span>
      <Bar ratio={value / full} />
    </span>
  );
}

export function Bar({ ratio: part }: { ratio: number }) {
  const width = `${(Math.min(1, Math.max(0, part)) * 100).toFixed(1)}%`;
  return (
    <span class="bar" data-high={part > 0.9} aria-hidden="true">
      <span style={{ width }} />
    </span>
  );
}

export function ratio(part: number | undefined, whole: number | undefined): number | undefined {
  return part === undefined || !whole ? undefined : part / whole;
}
