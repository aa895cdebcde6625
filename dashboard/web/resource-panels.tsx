import type { NodeStatus } from '../../telemetry/status.ts';
import type { NodeDetails } from '../messages.ts';
import { bytes, celsius, decimal, hertz, percent, wattHours, watts } from './format.ts';
import { Panel, Row } from './panel.tsx';
import { ratio } from './tile.tsx';

export function Rails({ details }: { details: NodeDetails }) {
  if (details.rails.length === 0) return null;
  return (
    <Panel name="rails" title="Power">
      <table>
        <tbody>
          {details.rails.map((rail) => (
            <tr key={rail.label}>
              <th scope="row">
                {rail.label} {rail.measures === rail.label ? null : <small>{rail.measures}</small>}
              </th>
              <td>
                {rail.powerWatts === undefined
                  ? (rail.absent ?? (rail.saturated ? 'at full scale' : '--'))
                  : `${watts(rail.powerWatts)} W`}
              </td>
              <td>{rail.busVolts === undefined ? '' : `${decimal(rail.busVolts, 2)} V`}</td>
              <td>{rail.currentAmperes === undefined ? '' : `${decimal(rail.currentAmperes, 2)} A`}</td>
              <td>{rail.energyJoules === undefined ? '' : `${wattHours(rail.energyJoules)} Wh`}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}

export function Processor({ status, details }: { status: NodeStatus; details: NodeDetails }) {
  const { coreUsageRatios = [], frequencyHertz, load, cores, zones = [] } = details;
  if (status.cpuUsageRatio === undefined && !load) return null;
  const note = [`${cores ?? coreUsageRatios.length} cores`, frequencyHertz ? hertz(frequencyHertz) : '']
    .filter(Boolean)
    .join(', ');
  return (
    <Panel name="processor" title="Processor" note={note}>
      <Row
        label="in use"
        value={status.cpuUsageRatio === undefined ? '--' : `${percent(status.cpuUsageRatio)} %`}
        part={status.cpuUsageRatio}
      />
      {coreUsageRatios.length > 1 ? (
        <div class="cores" aria-hidden="true">
          {coreUsageRatios.slice(0, 64).map((part, core) => (
            <span key={core} class="core">
              <span style={{ height: `${Math.max(3, part * 100)}%` }} />
            </span>
          ))}
        </div>
      ) : null}
      {load ? (
        <Row
          label="load"
          value={[load.oneMinute, load.fiveMinutes, load.fifteenMinutes].map((value) => decimal(value, 2)).join('  ')}
        />
      ) : null}
      {zones.slice(0, 3).map((zone) => (
        <Row key={zone.name} label={zone.name} value={`${celsius(zone.temperatureCelsius)} °C`} />
      ))}
    </Panel>
  );
}

export function Memory({ status, details }: { status: NodeStatus; details: NodeDetails }) {
  const used = ratio(status.memoryUsedBytes, status.memoryTotalBytes);
  if (used === undefined && details.mounts.length === 0) return null;
  const { memoryUsedBytes = 0, memoryTotalBytes = 0 } = status;
  return (
    <Panel name="memory" title="Memory and storage">
      {used === undefined ? null : (
        <Row label="memory" value={`${bytes(memoryUsedBytes)} of ${bytes(memoryTotalBytes)}`} part={used} />
      )}
      {details.mounts.slice(0, 4).map(({ path, totalBytes, availableBytes }) => (
        <Row
          key={path}
          label={path}
          value={`${bytes(availableBytes)} free of ${bytes(totalBytes)}`}
          part={totalBytes > 0 ? 1 - availableBytes / totalBytes : 0}
        />
      ))}
    </Panel>
  );
}

export function Network({ details }: { details: NodeDetails }) {
  const rate = (value: number | undefined) => (value === undefined ? '--' : `${bytes(value)}/s`);
  const shown = details.interfaces.filter(({ name }) => name !== 'lo').slice(0, 4);
  if (shown.length === 0) return null;
  return (
    <Panel name="network" title="Network">
      {shown.map(({ name, up, receivedBytesPerSecond, sentBytesPerSecond }) => (
        <Row
          key={name}
          label={name}
          value={up === false ? 'down' : `in ${rate(receivedBytesPerSecond)}  out ${rate(sentBytesPerSecond)}`}
        />
      ))}
    </Panel>
  );
}

export function Containers({ details }: { details: NodeDetails }) {
  const { containers } = details;
  if (!containers) {
    const finding = details.findings.find(({ subject }) => subject === 'docker');
    return finding ? (
      <Panel name="containers" title="Containers" note="none read">
        <p class="reason">{finding.detail}</p>
      </Panel>
    ) : null;
  }
  return (
    <Panel name="containers" title="Containers" note={`${containers.running} of ${containers.total} run`}>
      {containers.busiest.slice(0, 6).map(({ id, name, state, cpuUsageRatio, memoryBytes }) => (
        <Row
          key={id}
          label={name}
          value={[
            cpuUsageRatio === undefined ? '' : `${percent(cpuUsageRatio)} %`,
            memoryBytes === undefined ? '' : bytes(memoryBytes),
            state === 'running' ? '' : state,
          ]
            .filter(Boolean)
            .join('  ')}
        />
      ))}
    </Panel>
  );
}
