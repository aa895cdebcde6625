import { homedir, hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { parseBytes } from '../lib/bytes.ts';
import { type LoadedConfig, loadConfig } from '../lib/config.ts';
import { parseDuration } from '../lib/duration.ts';
import { NAME_PATTERN } from '../telemetry/identity.ts';
import { type Config, configSchema } from './config-schema.ts';

export type Environment = Record<string, string | undefined>;

export const VARIABLE_PREFIX = 'ERICHT_';

/** The configuration with its units in the names, ready for wiring. */
export interface Settings {
  config: Config;
  loaded: LoadedConfig<Config>;
  clusterId: string;
  nodeId: string;
  intervalMs: number;
  dataDir: string;
  retention: { rawMs: number };
  sqliteMaxBytes: number;
  spool: { maxBytes: number; maxAgeMs: number };
}

export interface SettingsRequest {
  environment: Environment;
  configFile: string | undefined;
  flags: Record<string, string>;
}

/** Throws CONFIG_INVALID or CONFIG_UNREADABLE. */
export function loadSettings({ environment, configFile, flags }: SettingsRequest): Settings {
  const loaded = loadConfig({
    schema: configSchema,
    explicitFile: configFile,
    searchFiles: configPlaces(environment),
    environment,
    variablePrefix: VARIABLE_PREFIX,
    foreignPrefixes: ['ERICHT_TEST_'],
    flags,
  });
  const config = loaded.values;
  return {
    config,
    loaded,
    clusterId: config.clusterId,
    nodeId: config.nodeId ?? nameOfHost(),
    intervalMs: parseDuration(config.interval, 'interval'),
    dataDir: resolve(config.dataDir ?? defaultDataDir(environment)),
    retention: { rawMs: parseDuration(config.retention.raw, 'retention.raw') },
    sqliteMaxBytes: parseBytes(config.stores.sqlite.maxSize, 'stores.sqlite.maxSize'),
    spool: {
      maxBytes: parseBytes(config.spool.maxSize, 'spool.maxSize'),
      maxAgeMs: parseDuration(config.spool.maxAge, 'spool.maxAge'),
    },
  };
}

/** Where ericht.yaml is looked for, in order. */
export function configPlaces(environment: Environment): string[] {
  const home = environment.XDG_CONFIG_HOME || join(homeOf(environment), '.config');
  return ['ericht.yaml', join(home, 'ericht', 'ericht.yaml'), '/etc/ericht/ericht.yaml'];
}

function defaultDataDir(environment: Environment): string {
  const base = environment.XDG_DATA_HOME || join(homeOf(environment), '.local', 'share');
  return join(base, 'ericht');
}

/** All simulated boards are of this cluster. */
export const SIMULATED_CLUSTER = 'simulated';

/** The same settings for boards that don't exist: their own cluster, in a folder beside the real one, so that no total mixes the two. */
export function simulatedSettings(settings: Settings): Settings {
  return { ...settings, clusterId: SIMULATED_CLUSTER, dataDir: `${settings.dataDir}-simulated` };
}

function homeOf(environment: Environment): string {
  return environment.HOME || homedir();
}

/** Host names may hold what a node's name may not; a board must start with any. */
function nameOfHost(): string {
  const name = hostname()
    .replace(/[^A-Za-z0-9._-]/g, '-')
    .slice(0, 63)
    .replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '');
  return NAME_PATTERN.test(name) ? name : 'node';
}
