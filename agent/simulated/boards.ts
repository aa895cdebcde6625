import type { RailMeasures } from '../../hardware/rail-reader.ts';

export interface SimulatedProfile {
  name: string;
  cores: number;
  frequencyHertz: number;
  memoryBytes: number;
  diskBytes: number;
  diskDevice: string;
  idleWatts: number;
  fullWatts: number;
  /** Degrees above ambient at no load and at full load. */
  idleRiseCelsius: number;
  fullRiseCelsius: number;
  temperatureZone: string;
}

const GIB = 1024 ** 3;

const RASPBERRY_PI_4: SimulatedProfile = {
  name: 'Raspberry Pi 4 Model B (simulated)',
  cores: 4,
  frequencyHertz: 1.8e9,
  memoryBytes: 8 * GIB,
  diskBytes: 240 * GIB,
  diskDevice: '/dev/sda2',
  idleWatts: 3.4,
  fullWatts: 6.2,
  idleRiseCelsius: 18,
  fullRiseCelsius: 46,
  temperatureZone: 'cpu-thermal',
};

const ORANGE_PI_5: SimulatedProfile = {
  name: 'Orange Pi 5 (simulated)',
  cores: 8,
  frequencyHertz: 2.4e9,
  memoryBytes: 16 * GIB,
  diskBytes: 480 * GIB,
  diskDevice: '/dev/nvme0n1p2',
  idleWatts: 3.9,
  fullWatts: 9.2,
  idleRiseCelsius: 14,
  fullRiseCelsius: 40,
  temperatureZone: 'soc-thermal',
};

export interface SimulatedRail {
  label: string;
  measures: RailMeasures;
  /** Draws this, always; the board's own rail follows its load instead. */
  constantWatts?: number;
}

export interface SimulatedBoard {
  /** From 0, over all boards. */
  index: number;
  nodeId: string;
  profile: SimulatedProfile;
  rails: SimulatedRail[];
  containers: string[];
}

/**
 * A case of `count` boards: the first half Raspberry Pis with the brokers, the rest Orange Pis with the stores, named
 * pi-01, pi-02 … and opi-01, opi-02 … The first of each kind has a second rail, for what the case itself draws.
 */
export function simulatedBoards(count: number): SimulatedBoard[] {
  const raspberries = Math.ceil(count / 2);
  return Array.from({ length: count }, (_, index) => {
    const isRaspberry = index < raspberries;
    const ordinal = isRaspberry ? index + 1 : index - raspberries + 1;
    const rails: SimulatedRail[] = [{ label: 'board', measures: 'board' }];
    if (ordinal === 1) {
      rails.push(
        isRaspberry
          ? { label: 'switch', measures: 'switch', constantWatts: 4.6 }
          : { label: 'lights', measures: 'lights', constantWatts: 2.1 },
      );
    }
    return {
      index,
      nodeId: `${isRaspberry ? 'pi' : 'opi'}-${String(ordinal).padStart(2, '0')}`,
      profile: isRaspberry ? RASPBERRY_PI_4 : ORANGE_PI_5,
      rails,
      containers: isRaspberry
        ? [`kafka-${ordinal}`, `ericht-agent-${index + 1}`]
        : [`cassandra-${ordinal}`, `ericht-collector-${ordinal}`, `ericht-agent-${index + 1}`],
    };
  });
}
