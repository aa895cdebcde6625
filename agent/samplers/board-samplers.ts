import { join } from 'node:path';
import type { RailSettings } from '../../hardware/rail-reader.ts';
import { RailFinder } from '../../hardware/rails/rail-finder.ts';
import { homeFolder } from '../../lib/home-folder.ts';
import { toolRunner } from '../run-tool.ts';
import type { Sampler, SamplerSurroundings } from '../sampler.ts';
import { ProcCpuSampler } from './cpu.ts';
import { DockerSampler } from './docker.ts';
import { FirmwareFlags } from './firmware-flags.ts';
import { FirstFound } from './first-found.ts';
import { ProcLoadSampler } from './load.ts';
import { ProcMemorySampler } from './memory.ts';
import { NetworkSampler } from './network.ts';
import { OsCpuSampler } from './os-cpu.ts';
import { OsLoadSampler } from './os-load.ts';
import { OsMemorySampler } from './os-memory.ts';
import { type RailEnergyKeeper, RailsSampler } from './rails.ts';
import { type StatFileSystem, StorageSampler } from './storage.ts';
import { TemperatureSampler } from './temperature.ts';
import { ThrottlingSampler } from './throttling.ts';

export interface BoardSamplersOptions extends SamplerSurroundings {
  /** How often the node reports: the fast samplers follow it. */
  intervalMs: number;
  /** INA226 chips that no kernel driver serves, and labels for those it does. */
  rails: RailSettings[];
  /** Carries the joules of the rails over a restart; absent where nothing is kept. */
  energyKeeper?: RailEnergyKeeper;
  /** Sockets of a local Docker Engine, the first that exists is used. */
  dockerSockets?: string[];
  /** Whether the roots speak of this very system; by default where `procfs` is /proc. */
  ownSystem?: boolean;
  /** Places of vcgencmd on a Raspberry Pi. */
  vcgencmd?: readonly string[];
  /** Sizes of file systems, for a recorded tree; else this system is asked. */
  statFileSystem?: StatFileSystem;
}

/** Raspberry Pi OS, and where it was until 2021. */
const VCGENCMD = ['/usr/bin/vcgencmd', '/opt/vc/bin/vcgencmd'];

/** Everything that can be read on a board, whether or not this one has it: each sampler's find() tells. */
export function boardSamplers(options: BoardSamplersOptions): Sampler[] {
  const { clock, sysfs, dev, intervalMs, rails } = options;
  const ownSystem = options.ownSystem ?? options.procfs === '/proc';
  // The engine and the firmware that answer here are this system's, whatever the roots speak of.
  const socketPaths = options.dockerSockets ?? (ownSystem ? usualDockerSockets() : []);
  const tools = options.vcgencmd ?? (ownSystem ? VCGENCMD : []);
  const finder = new RailFinder({ sysfs, dev, settings: rails, intervalMs, clock });
  // Another root speaks of another system: node:os, which speaks of this one, must not stand in for it.
  const orElse = (fallback: Sampler): Sampler[] => (options.procfs === '/proc' ? [fallback] : []);
  return [
    new FirstFound([new ProcCpuSampler(options, intervalMs), ...orElse(new OsCpuSampler(intervalMs))]),
    new FirstFound([new ProcLoadSampler(options, intervalMs), ...orElse(new OsLoadSampler(intervalMs))]),
    new FirstFound([new ProcMemorySampler(options, intervalMs), ...orElse(new OsMemorySampler(intervalMs))]),
    new TemperatureSampler(options, intervalMs),
    new ThrottlingSampler(options, {
      firmware: new FirmwareFlags({ tools, vcio: join(dev, 'vcio'), run: toolRunner(clock), clock }),
      intervalMs,
    }),
    new StorageSampler(options, options.statFileSystem ? { statFileSystem: options.statFileSystem } : {}),
    new NetworkSampler(options),
    new DockerSampler({ clock, sysfs, socketPaths }),
    new RailsSampler({ source: finder, intervalMs, clock, keeper: options.energyKeeper }),
  ];
}

function usualDockerSockets(): string[] {
  const home = homeFolder();
  return ['/var/run/docker.sock', ...(home ? [join(home, '.docker/run/docker.sock')] : [])];
}
