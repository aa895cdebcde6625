import type { ClusterView } from '../messages.ts';
import { celsius, decimal, percent, wattHours, watts } from './format.ts';
import { allNodes, cluster, cut } from './model.ts';
import { ratio } from './tile.tsx';

/** The largest type on the page: what the case draws, what it used, whether anything was lost. */
export function Totals() {
  const view = cluster.value;
  if (!view) return null;
  return (
    <section class="totals" aria-label="totals">
      {view.nodeIds.length === 1 && view.power.powerWatts === undefined ? <SoloTotals /> : <Power view={view} />}
      <Energy view={view} />
      <Delivery view={view} />
    </section>
  );
}

interface TotalProps {
  name: string;
  number: string | undefined;
  unit: string;
  words: preact.ComponentChildren;
  main?: boolean;
}

function Total({ name, number, unit, words, main = false }: TotalProps) {
  return (
    <div class={main ? 'total main' : 'total'} data-total={name}>
      <p class="total-value">
        <span class="number">{cut.value ? '--' : (number ?? '--')}</span> <span class="unit">{unit}</span>
      </p>
      <p class="total-words">{words}</p>
    </div>
  );
}

function Power({ view }: { view: ClusterView }) {
  const { powerWatts, basis, measuredNodes, nodes } = view.power;
  const what = view.simulated ? 'simulated boards' : 'boards';
  const basisWords =
    basis === 'inlet'
      ? 'measured at the inlet'
      : basis === 'boards'
        ? `${what}; inlet not measured`
        : 'nothing measured now';
  const partial = basis === 'boards' && measuredNodes < nodes ? `, ${measuredNodes} of ${nodes} nodes` : '';
  const number = powerWatts === undefined ? undefined : watts(powerWatts);
  return <Total main name="power" number={number} unit="W now" words={`${basisWords}${partial}`} />;
}

function Energy({ view }: { view: ClusterView }) {
  const { energy } = view;
  if (!energy) return null;
  const words = `since start, ${percent(energy.coveredRatio)} % measured`;
  return <Total name="energy" number={wattHours(energy.energyJoules)} unit="Wh" words={words} />;
}

/** Lost reports are shown only by a server that counts them: a 0 that nobody counted would be a lie. */
function Delivery({ view }: { view: ClusterView }) {
  const { delivery, reportsPerSecond } = view;
  if (delivery?.lost !== undefined) {
    const onItsWay = delivery.onItsWay ? `; ${decimal(delivery.onItsWay, 0)} on their way` : '';
    const of = delivery.stored === undefined ? 'reports' : `of ${decimal(delivery.stored, 0)} reports`;
    return <Total name="lost" number={decimal(delivery.lost, 0)} unit="LOST" words={`${of}${onItsWay}`} />;
  }
  if (view.nodeIds.length === 0) return null;
  const stored = delivery?.stored === undefined ? 'arriving now' : `${decimal(delivery.stored, 0)} stored since start`;
  return <Total name="reports" number={decimal(reportsPerSecond, 1)} unit="reports/s" words={stored} />;
}

/** One machine without a power source: what it does have, in the same large type. */
function SoloTotals() {
  const status = allNodes()[0]?.status;
  const memory = ratio(status?.memoryUsedBytes, status?.memoryTotalBytes);
  const load = status?.loadOneMinute;
  return (
    <>
      <Total
        main
        name="cpu"
        number={status?.cpuUsageRatio === undefined ? undefined : percent(status.cpuUsageRatio)}
        unit="% CPU"
        words={load === undefined ? 'of all cores' : `of all cores; load ${decimal(load, 2)}`}
      />
      {memory === undefined ? null : <Total name="memory" number={percent(memory)} unit="% memory" words="in use" />}
      {status?.temperatureCelsius === undefined ? null : (
        <Total name="temperature" number={celsius(status.temperatureCelsius)} unit="°C" words="processor" />
      )}
    </>
  );
}
