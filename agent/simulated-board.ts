import { EnergyCounter } from '../hardware/energy.ts';
import type { Clock } from '../lib/clock.ts';
import { roundTo } from '../lib/round.ts';
import type { Container, Rail } from '../telemetry/report.ts';
import type { FactsPart } from './facts.ts';
import type { Finding, ReportPart, Sampler } from './sampler.ts';
import { BoardModel } from './simulated/board-model.ts';
import type { SimulatedBoard } from './simulated/boards.ts';
import { seeded } from './simulated/seeded.ts';

export { simulatedBoards } from './simulated/boards.ts';

export interface SimulationOptions {
  board: SimulatedBoard;
  /** The same seed gives the same case; each board differs from its neighbours. */
  seed: number;
  clock: Clock;
  intervalMs: number;
}

const SLOW_MS = 10_000;
const BUS_VOLTS = 5.12;
/** The supply line's resistance: more current, less voltage. */
const SUPPLY_OHMS = 0.02;

/** The samplers of a board that doesn't exist: the same names, parts and periods as those of a real one. */
export function simulatedSamplers({ board, seed, clock, intervalMs }: SimulationOptions): Sampler[] {
  const { profile } = board;
  const model = new BoardModel(profile, Math.floor(seeded(seed, board.index) * 2 ** 32));
  let startMs: number | undefined;
  const seconds = () => {
    startMs ??= clock.monotonicMs();
    return (clock.monotonicMs() - startMs) / 1000;
  };
  const energies = board.rails.map(() => new EnergyCounter(intervalMs));

  const parts: Record<string, [periodMs: number, sample: (seconds: number) => ReportPart]> = {
    cpu: [
      intervalMs,
      (at) => ({
        cpu: {
          usageRatio: roundTo(model.usage(at), 4),
          coreUsageRatios: range(profile.cores, (core) => roundTo(model.coreUsage(core, at), 4)),
          frequencyHertz: model.usage(at) > 0.3 ? profile.frequencyHertz : profile.frequencyHertz / 2,
        },
      }),
    ],
    load: [
      intervalMs,
      (at) => ({
        load: {
          oneMinute: roundTo(model.loadAverage(at, 1), 2),
          fiveMinutes: roundTo(model.loadAverage(at, 5), 2),
          fifteenMinutes: roundTo(model.loadAverage(at, 15), 2),
        },
      }),
    ],
    memory: [
      intervalMs,
      (at) => ({
        memory: {
          totalBytes: profile.memoryBytes,
          availableBytes: Math.floor(profile.memoryBytes * (1 - model.memoryUsedRatio(at))),
        },
      }),
    ],
    temperature: [
      intervalMs,
      (at) => {
        const temperatureCelsius = roundTo(model.temperatureCelsius(at), 1);
        return { temperature: { temperatureCelsius, zones: [{ name: profile.temperatureZone, temperatureCelsius }] } };
      },
    ],
    storage: [
      SLOW_MS,
      (at) => ({
        storage: {
          mounts: [
            {
              path: '/',
              device: profile.diskDevice,
              totalBytes: profile.diskBytes,
              // A day of telemetry is well under 2 GB; the disk never quite fills.
              availableBytes: Math.floor(profile.diskBytes * Math.max(0.05, 0.7 - 20_000 * (at / profile.diskBytes))),
            },
          ],
        },
      }),
    ],
    network: [
      intervalMs,
      (at) => ({
        network: {
          interfaces: [
            {
              name: 'eth0',
              up: true,
              receivedBytes: model.transferredBytes(at, 180_000, 0),
              sentBytes: model.transferredBytes(at, 95_000, 1),
              speedBitsPerSecond: 1e9,
            },
          ],
        },
      }),
    ],
    docker: [SLOW_MS, (at) => ({ docker: dockerPart(board, model, at) })],
    rails: [
      intervalMs,
      (at) => ({
        rails: board.rails.map(({ label, measures, constantWatts }, index): Rail => {
          const powerWatts = roundTo(constantWatts === undefined ? model.watts(at) : constantWatts, 4);
          const energy = energies[index]!;
          energy.add(powerWatts, clock.monotonicMs());
          const busVolts = roundTo(BUS_VOLTS - SUPPLY_OHMS * (powerWatts / BUS_VOLTS), 4);
          return {
            label,
            measures,
            source: 'simulated',
            busVolts,
            currentAmperes: roundTo(powerWatts / busVolts, 4),
            powerWatts,
            energyJoules: roundTo(energy.joules, 3),
            coveredSeconds: roundTo(energy.coveredSeconds, 3),
          };
        }),
      }),
    ],
  };

  return Object.entries(parts).map(([name, [periodMs, sample]]) => ({
    name,
    periodMs,
    timeoutMs: 1000,
    find: async (): Promise<Finding> => ({ subject: name, found: true, detail: 'simulated' }),
    sample: async () => sample(seconds()),
  }));
}

export interface SimulatedFactsOptions {
  board: SimulatedBoard;
  intervalMs: number;
  versions: Record<string, string>;
}

/** What a simulated board says of itself. */
export function simulatedFacts({ board, intervalMs, versions }: SimulatedFactsOptions): FactsPart {
  const { profile } = board;
  return {
    intervalMs,
    model: profile.name,
    operatingSystem: 'simulated',
    architecture: 'arm64',
    cores: profile.cores,
    memoryBytes: profile.memoryBytes,
    versions: { node: process.versions.node, ...versions },
    rails: board.rails.map(({ label, measures }) => ({ label, measures, source: 'simulated' })),
    findings: [{ subject: 'board', found: true, detail: 'simulated: no sensor stands behind its values' }],
  };
}

function dockerPart(board: SimulatedBoard, model: BoardModel, at: number): NonNullable<ReportPart['docker']> {
  const containers = board.containers.map((name, index): Container => {
    const isService = index === 0;
    return {
      id: Math.floor(seeded(board.index, index) * 16 ** 12)
        .toString(16)
        .padStart(12, '0'),
      name,
      state: 'running',
      ...(isService ? { health: 'healthy' } : {}),
      restarts: 0,
      cpuUsageRatio: roundTo(model.usage(at) * board.profile.cores * (isService ? 0.7 : 0.05), 4),
      memoryBytes: Math.floor(board.profile.memoryBytes * model.memoryUsedRatio(at) * (isService ? 0.6 : 0.02)),
    };
  });
  return { swarmRole: board.index < 3 ? 'manager' : 'worker', runningContainers: containers.length, containers };
}

function range<T>(length: number, make: (index: number) => T): T[] {
  return Array.from({ length }, (_, index) => make(index));
}
