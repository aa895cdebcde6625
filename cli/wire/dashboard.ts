import type { StoreReader } from '../../collector/store/port.ts';
import { Dashboard, type DashboardOptions } from '../../dashboard/server/dashboard.ts';
import type { LiveSource } from '../../dashboard/server/live-source.ts';
import type { Settings } from '../settings.ts';

type Rest = Pick<DashboardOptions, 'clock' | 'log' | 'notices' | 'delivery' | 'storeProblem'>;

/** The page over these sources, at the address as configured. */
export function makeDashboard(
  settings: Settings,
  { live, reader, ...rest }: Rest & { live: LiveSource; reader: DashboardOptions['reader'] & StoreReader },
): Dashboard {
  const { config, loaded, clusterId } = settings;
  return new Dashboard({
    live,
    reader,
    host: config.listen,
    port: config.port,
    portIsExplicit: loaded.originOf('port').from !== 'default',
    clusterId,
    expectedNodes: config.expectedNodes,
    ...rest,
  });
}
