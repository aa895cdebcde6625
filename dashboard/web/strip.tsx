import { ARRIVALS_KEPT_MS as STRIP_MS } from '../messages.ts';
import { arrivalsOf, history, second } from './model.ts';

/** Units of the strip's own width; the browser stretches it. */
const STRIP_WIDTH = 600;

/** One bar for each report of the last minute, where it came: a gap is a silence. */
export function HeartbeatStrip({ nodeId, intervalMs }: { nodeId: string; intervalMs: number }) {
  const from = second.value + 1000 - STRIP_MS;
  const width = Math.max(2, (intervalMs / STRIP_MS) * STRIP_WIDTH * 0.62).toFixed(1);
  let path = '';
  for (const at of arrivalsOf(nodeId)) {
    if (at > from) path += `M${(((at - from) / STRIP_MS) * STRIP_WIDTH).toFixed(1)} 0v10h-${width}v-10z`;
  }
  return (
    <svg
      class="strip"
      viewBox={`0 0 ${STRIP_WIDTH} 10`}
      preserveAspectRatio="none"
      role="img"
      aria-label="reports of the last minute"
    >
      <path d={path} />
    </svg>
  );
}

const LONGEST_MS = 600_000;
const SHORTEST_MS = 60_000;
const GAP_MS = 2500;

type Quantity = 'powerWatts' | 'cpuUsageRatio';

interface GraphProps {
  quantity: Quantity;
  label: string;
  /** The value as people read it, with its unit. */
  words: (value: number) => string;
  /** The scale's top is never lower, so that noise doesn't look like a mountain range. */
  leastTop: number;
}

/** The last minutes as a line from zero; it begins with one minute and grows to ten. A gap stays a gap. */
export function Graph({ quantity, label, words, leastTop }: GraphProps) {
  const points = history.value;
  const to = second.value;
  const age = to - (points.find((point) => point[quantity] !== null)?.at ?? to);
  const spanMs = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, age));
  const shown = points.filter((point) => point.at >= to - spanMs);
  const values = shown.flatMap((point) => point[quantity] ?? []);
  const top = Math.max(leastTop, ...values) * 1.12;
  const { line, area } = paths(shown, quantity, to - spanMs, spanMs, top);
  const highest = values.length > 0 ? words(Math.max(...values)) : '–';
  return (
    <figure class="graph">
      <figcaption>
        <span class="graph-label">{label}</span>
        <span>last {Math.round(spanMs / 60_000)} min</span>
        <span>highest {highest}</span>
      </figcaption>
      <svg viewBox="0 0 1000 100" preserveAspectRatio="none" aria-hidden="true">
        <path class="area" d={area} />
        <path class="line" d={line} />
      </svg>
    </figure>
  );
}

function paths(
  points: { at: number; powerWatts: number | null; cpuUsageRatio: number | null }[],
  quantity: Quantity,
  from: number,
  spanMs: number,
  top: number,
): { line: string; area: string } {
  let line = '';
  let area = '';
  let last: { at: number; x: string } | undefined;
  for (const point of points) {
    const value = point[quantity];
    if (value === null) {
      if (last) area += `L${last.x} 100Z`;
      last = undefined;
      continue;
    }
    const x = (((point.at - from) / spanMs) * 1000).toFixed(1);
    const y = (100 - (Math.max(0, value) / top) * 100).toFixed(1);
    if (last && point.at - last.at > GAP_MS) {
      area += `L${last.x} 100Z`;
      last = undefined;
    }
    line += `${last ? 'L' : 'M'}${x} ${y}`;
    area += last ? `L${x} ${y}` : `M${x} 100L${x} ${y}`;
    last = { at: point.at, x };
  }
  if (last) area += `L${last.x} 100Z`;
  return { line, area };
}
