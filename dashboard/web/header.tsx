import { ageInWords } from '../../telemetry/status-sentence.ts';
import { clockTime } from './format.ts';
import { allNodes, cluster, cut, cutForMs, now, second } from './model.ts';
import { Shape } from './state-mark.tsx';

export function Header() {
  const view = cluster.value;
  return (
    <header class="top" data-simulated={view?.simulated === true}>
      <h1>{view?.clusterId || 'Ericht'}</h1>
      <Freshness />
      {view?.simulated ? (
        <strong class="simulated">
          <span>SIMULATED</span>
        </strong>
      ) : null}
      <time class="clock">{clockTime(second.value)}</time>
    </header>
  );
}

/** How old the newest value on the page is, whatever the reason. */
function Freshness() {
  if (cut.value) {
    return (
      <span class="fresh" data-state="silent">
        <Shape state="silent" />
        CUT for {ageInWords(cutForMs.value)}
      </span>
    );
  }
  const newestAt = Math.max(...allNodes().map(({ status }) => status.lastSeenAt ?? 0));
  if (newestAt <= 0) return <span class="fresh">no value yet</span>;
  const ageMs = now.value - newestAt;
  const live = ageMs < 5000;
  return (
    <span class="fresh" data-state={live ? 'live' : 'late'}>
      <Shape state={live ? 'live' : 'late'} />
      {live ? 'LIVE, ' : ''}
      {ageInWords(ageMs)} old
    </span>
  );
}
