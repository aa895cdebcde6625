import type { Facts } from '../../telemetry/facts.ts';
import type { Report } from '../../telemetry/report.ts';
import type { InterfaceView, NodeDetails } from '../messages.ts';

/** A page on a small screen shows no more, and a stream of fifty nodes stays small. */
export const MOST_CONTAINERS = 12;

/** What a closer look shows, from a report, the node's facts, and the network rates made from two reports. */
export function nodeDetails(report: Report, facts: Facts | undefined, interfaces: InterfaceView[]): NodeDetails {
  const { cpu, load, temperature, docker } = report;
  return {
    ...pick(facts, ['model', 'operatingSystem', 'kernel', 'architecture', 'cores', 'addresses']),
    uptimeMs: report.uptimeMs,
    clockSynchronised: report.clockSynchronised,
    ...pick(cpu, ['coreUsageRatios', 'frequencyHertz']),
    ...(load ? { load: pick(load, ['oneMinute', 'fiveMinutes', 'fifteenMinutes']) as NodeDetails['load'] } : {}),
    ...(temperature?.zones ? { zones: temperature.zones } : {}),
    rails: report.rails ?? [],
    mounts: (report.storage?.mounts ?? []).map(({ path, totalBytes, availableBytes }) => ({
      path,
      totalBytes,
      availableBytes,
    })),
    interfaces,
    ...(docker && docker.engine !== 'stopped'
      ? {
          containers: {
            running: docker.runningContainers,
            total: (docker.containers?.length ?? 0) + (docker.leftOutContainers ?? 0),
            busiest: (docker.containers ?? [])
              .toSorted((a, b) => (b.cpuUsageRatio ?? -1) - (a.cpuUsageRatio ?? -1))
              .slice(0, MOST_CONTAINERS),
          },
        }
      : {}),
    findings: facts?.findings ?? [],
  } as NodeDetails;
}

/** Bytes per second from two reports of one boot; the last rates stay while the slower sampler repeats itself. */
export function interfaceViews(
  report: Report,
  before: { report: Report; interfaces: InterfaceView[] } | undefined,
): InterfaceView[] {
  const { network } = report;
  const earlier = before?.report.bootId === report.bootId ? before.report.network : undefined;
  const readAt = network?.sampledAt ?? report.timestamp;
  const earlierAt = earlier?.sampledAt ?? before?.report.timestamp ?? readAt;
  const seconds = (readAt - earlierAt) / 1000;
  return (network?.interfaces ?? []).map(({ name, up, receivedBytes, sentBytes }) => {
    const view: InterfaceView = { name, ...(up === undefined ? {} : { up }) };
    const last = earlier?.interfaces.find((other) => other.name === name);
    const lastView = before?.interfaces.find((other) => other.name === name);
    if (seconds === 0 && lastView) return lastView;
    // A counter that went down started again.
    if (!last || seconds <= 0 || receivedBytes < last.receivedBytes || sentBytes < last.sentBytes) return view;
    view.receivedBytesPerSecond = (receivedBytes - last.receivedBytes) / seconds;
    view.sentBytesPerSecond = (sentBytes - last.sentBytes) / seconds;
    return view;
  });
}

function pick<T extends object, K extends keyof T>(from: T | undefined, keys: K[]): Partial<Pick<T, K>> {
  const picked: Partial<Pick<T, K>> = {};
  for (const key of keys) if (from?.[key] !== undefined) picked[key] = from[key];
  return picked;
}
