import { isHeard } from '../../telemetry/status.ts';
import { decimal } from './format.ts';
import { allNodes, cluster, cut } from './model.ts';
import { Shape } from './state-mark.tsx';

const STORE_NAMES = { sqlite: 'SQLite', cassandra: 'Cassandra' };

/** The way of the reports in words, one stage after the other. */
export function Pipeline() {
  const view = cluster.value;
  if (!view) return null;
  const { transport, readable, brokersOnline, brokersExpected, collectorLag, store } = view.pipeline;
  const live = allNodes().filter(({ status }) => isHeard(status.state)).length;
  const total = view.nodeIds.length;
  const brokers = brokersOnline === undefined ? '' : ` ${brokersOnline}/${brokersExpected ?? brokersOnline} brokers`;
  const way = transport === 'link' ? 'in-process link' : `Kafka${brokers}`;
  const allBrokers = brokersExpected === undefined || (brokersOnline ?? 0) >= brokersExpected;
  const storeWords = store.reachable ? 'ok' : 'fails';
  return (
    <ol class="pipeline" aria-label="pipeline">
      <Stage
        fine={total === 0 ? undefined : live === total}
        words={total === 0 ? 'no agent yet' : `agents ${live}/${total}`}
      />
      <Stage
        fine={readable && allBrokers}
        words={readable ? `${way} ok` : `${way} ${transport === 'link' ? 'stands still' : "can't be read"}`}
      />
      <Stage
        fine={collectorLag === undefined ? undefined : collectorLag < 1000}
        words={collectorLag === undefined ? 'collector lag not known' : `collector lag ${decimal(collectorLag, 0)}`}
      />
      <Stage fine={store.reachable} words={`${STORE_NAMES[store.kind]} ${storeWords}`} />
    </ol>
  );
}

/** `fine` undefined: not known, so neither good nor bad. */
function Stage({ fine, words }: { fine: boolean | undefined; words: string }) {
  const state = cut.value ? 'old' : fine === undefined ? 'expected' : fine ? 'live' : 'silent';
  return (
    <li data-state={state}>
      <Shape state={state} />
      <span>{words}</span>
    </li>
  );
}
