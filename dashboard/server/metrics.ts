import type { Registry } from 'prom-client';
import { NODE_STATES } from '../../telemetry/node-state.ts';
import type { Rail } from '../../telemetry/report.ts';
import { isHeard, type Status } from '../../telemetry/status.ts';

export interface MetricsInput {
  status: Status;
  rails(nodeId: string): Rail[];
  streams: number;
}

/**
 * Prometheus metrics, made anew from the status at each scrape, so that a silent node's old watts are absent and not
 * repeated. Names follow https://prometheus.io/docs/practices/naming: base units, plural, `_total` on counters.
 */
export class Metrics {
  readonly #input: () => MetricsInput;

  constructor(input: () => MetricsInput) {
    this.#input = input;
  }

  async collect(): Promise<{ contentType: string; text: string }> {
    // Loaded at the first scrape: most dashboards are never scraped, and it costs 40 ms of start.
    const { Registry, Gauge, Counter } = await import('prom-client');
    const registry = new Registry();
    registry.setDefaultLabels({ cluster: this.#input().status.clusterId });
    const gauge = (name: string, help: string, labelNames: string[] = []) =>
      new Gauge({ name, help, labelNames, registers: [registry] });
    fillCluster(this.#input(), gauge);
    fillNodes(this.#input(), gauge, registry, Counter);
    return { contentType: registry.contentType, text: await registry.metrics() };
  }
}

type MakeGauge = (name: string, help: string, labelNames?: string[]) => import('prom-client').Gauge;

function fillCluster({ status, streams }: MetricsInput, gauge: MakeGauge): void {
  const nodes = gauge('ericht_nodes', 'Nodes of the cluster by state.', ['state']);
  for (const state of NODE_STATES) nodes.set({ state }, status.nodes.filter((node) => node.state === state).length);
  if (status.power.powerWatts !== undefined) {
    const help =
      'Power of the whole cluster: the inlet where it is measured, else the sum of the boards that are heard.';
    gauge('ericht_cluster_power_watts', help, ['basis']).set({ basis: status.power.basis }, status.power.powerWatts);
  }
  const { pipeline } = status;
  gauge('ericht_pipeline_readable', 'Whether this dashboard can read reports (1) or not (0).').set(
    Number(pipeline.readable),
  );
  gauge('ericht_store_reachable', 'Whether the store answers (1) or not (0).', ['kind']).set(
    { kind: pipeline.store.kind },
    Number(pipeline.store.reachable),
  );
  if (pipeline.collectorLag !== undefined) {
    gauge('ericht_collector_lag_records', 'Records that the collector has yet to store.').set(pipeline.collectorLag);
  }
  gauge('ericht_dashboard_streams', 'Pages that are watching.').set(streams);
}

function fillNodes(
  { status, rails }: MetricsInput,
  gauge: MakeGauge,
  registry: Registry,
  Counter: typeof import('prom-client').Counter,
): void {
  const up = gauge('ericht_node_up', 'Whether the node is heard (1) or not (0).', ['node', 'simulated']);
  const seen = gauge('ericht_node_last_report_timestamp_seconds', 'When the newest live report came.', ['node']);
  const railLabels = ['node', 'rail', 'measures'];
  const watts = gauge('ericht_node_rail_power_watts', 'Power of a rail, signed.', railLabels);
  const volts = gauge('ericht_node_rail_voltage_volts', 'Voltage of a rail.', railLabels);
  const amperes = gauge('ericht_node_rail_current_amperes', 'Current of a rail, signed.', railLabels);
  const joules = new Counter({
    name: 'ericht_node_rail_energy_joules_total',
    help: 'Energy of a rail, counted on the board since its agent started.',
    labelNames: railLabels,
    registers: [registry],
  });
  const celsius = gauge('ericht_node_temperature_celsius', 'Temperature of the processor.', ['node']);
  const cpu = gauge('ericht_node_cpu_usage_ratio', 'Use of all cores, 0 to 1.', ['node']);
  const memory = gauge('ericht_node_memory_used_bytes', 'Memory that is not available.', ['node']);
  for (const node of status.nodes) {
    const labels = { node: node.nodeId };
    up.set({ ...labels, simulated: String(node.simulated === true) }, Number(isHeard(node.state)));
    if (node.lastSeenAt !== undefined) seen.set(labels, node.lastSeenAt / 1000);
    if (!isHeard(node.state)) continue;
    if (node.temperatureCelsius !== undefined) celsius.set(labels, node.temperatureCelsius);
    if (node.cpuUsageRatio !== undefined) cpu.set(labels, node.cpuUsageRatio);
    if (node.memoryUsedBytes !== undefined) memory.set(labels, node.memoryUsedBytes);
    for (const rail of rails(node.nodeId)) {
      const of = { ...labels, rail: rail.label, measures: rail.measures };
      if (rail.powerWatts !== undefined) watts.set(of, rail.powerWatts);
      if (rail.busVolts !== undefined) volts.set(of, rail.busVolts);
      if (rail.currentAmperes !== undefined) amperes.set(of, rail.currentAmperes);
      if (rail.energyJoules !== undefined) joules.inc(of, rail.energyJoules);
    }
  }
}
