import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { parseBytes } from '../lib/bytes.ts';
import { type LoadedConfig, loadConfig } from '../lib/config.ts';
import { parseDuration } from '../lib/duration.ts';
import { ErichtError } from '../lib/errors.ts';
import { homeFolder } from '../lib/home-folder.ts';
import { NAME_PATTERN } from '../telemetry/identity.ts';
import { type Config, configSchema } from './config-schema.ts';

export type Environment = Record<string, string | undefined>;

const VARIABLE_PREFIX = 'ERICHT_';

/** The configuration with its units in the names, ready for wiring. */
export interface Settings {
  config: Config;
  loaded: LoadedConfig<Config>;
  clusterId: string;
  nodeId: string;
  intervalMs: number;
  dataDir: string;
  /** In memory, gone with the next boot; undefined where there is none. */
  runtimeDirectory: string | undefined;
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
    runtimeDirectory: runtimeDirectoryOf(config, environment),
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
  const home = homeOf(environment);
  const ofUser = environment.XDG_CONFIG_HOME || (home && join(home, '.config'));
  return ['ericht.yaml', ...(ofUser ? [join(ofUser, 'ericht', 'ericht.yaml')] : []), '/etc/ericht/ericht.yaml'];
}

/** systemd may give several, separated by colons: the first is the unit's own. Source: systemd.exec(5). */
function runtimeDirectoryOf({ runtimeDir }: Config, { RUNTIME_DIRECTORY }: Environment): string | undefined {
  const path = runtimeDir ?? RUNTIME_DIRECTORY?.split(':')[0];
  return path ? resolve(path) : undefined;
}

function defaultDataDir(environment: Environment): string {
  const home = homeOf(environment);
  const base = environment.XDG_DATA_HOME || (home && join(home, '.local', 'share'));
  if (base) return join(base, 'ericht');
  throw new ErichtError('CONFIG_INVALID', {
    what: 'there is no place for data',
    why: 'HOME is not set, and the system knows no home folder of this user',
    next: 'name a folder with --data-dir',
  });
}

/** All simulated boards are of this cluster. */
const SIMULATED_CLUSTER = 'simulated';

/** The same settings for boards that don't exist: their own cluster, in a folder beside the real one, so that no total mixes the two. */
export function simulatedSettings(settings: Settings): Settings {
  return { ...settings, clusterId: SIMULATED_CLUSTER, dataDir: `${settings.dataDir}-simulated` };
}

function homeOf(environment: Environment): string | undefined {
  return environment.HOME || homeFolder();
}

/** Host names may hold what a node's name may not; a board must start with any. */
function nameOfHost(): string {
  const name = hostname()
    .replace(/[^A-Za-z0-9._-]/g, '-')
    .slice(0, 63)
    .replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '');
  return NAME_PATTERN.test(name) ? name : 'node';
}
