/**
 * `npm run build:i2c`: compiles the i2c-bus addon against the headers that come with the pinned Node (the machine's own
 * Node and npm's nodedir setting point elsewhere), then loads it with the pinned Node to prove it. Needs no internet.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ErichtError, toErichtError } from '../lib/errors.ts';
import { type Log, plainLog } from '../lib/log.ts';

export interface BuildI2cOptions {
  /** The folder whose node_modules holds i2c-bus and the pinned Node. */
  projectDirectory: string;
  /** The pinned Node's package; by default the one in node_modules for this processor. */
  nodePackage?: string;
  /** The processor that it is for, in Node's words; another than this machine's takes a cross compiler. */
  architecture?: string;
  /** Leaves out what only a debugger wants. */
  strip?: boolean;
  log: Log;
}

/** What the tools for a processor are called on a machine with another one. */
const TARGETS: Record<string, string> = { arm64: 'aarch64-linux-gnu', x64: 'x86-64-linux-gnu' };

/** node-gyp needs these; with the Debian package that brings each. */
function toolsFor(target: string | undefined): { command: string; debianPackage: string }[] {
  return [
    { command: 'make', debianPackage: 'build-essential' },
    target
      ? { command: `${target.replace('x86-64', 'x86_64')}-g++`, debianPackage: `g++-${target}` }
      : { command: 'g++', debianPackage: 'build-essential' },
    { command: 'python3', debianPackage: 'python3' },
  ];
}

/** Throws an ErichtError that says what is missing and how to get it. */
export function buildI2c(options: BuildI2cOptions): void {
  const { projectDirectory, nodePackage, architecture = process.arch, log } = options;
  const what = 'cannot build i2c-bus';
  if (process.platform !== 'linux') throw new ErichtError('USAGE', { what, why: 'I2C is read on Linux only' });
  const headers = nodePackage ?? join(projectDirectory, 'node_modules', `node-linux-${architecture}`);
  if (!existsSync(join(projectDirectory, 'node_modules', 'i2c-bus', 'package.json'))) {
    throw new ErichtError('USAGE', { what, why: 'it is not installed', next: 'run npm ci without --omit=optional' });
  }
  if (!existsSync(join(headers, 'include', 'node', 'node.h'))) {
    throw new ErichtError('USAGE', { what, why: `there are no headers in ${headers}`, next: 'run npm ci' });
  }
  const target = architecture === process.arch ? undefined : TARGETS[architecture];
  const missing = toolsFor(target).filter(
    ({ command }) => spawnSync(command, ['--version'], { stdio: 'ignore' }).error,
  );
  if (missing.length > 0) {
    const packages = [...new Set(missing.map(({ debianPackage }) => debianPackage))].join(' ');
    throw new ErichtError('TOOL_MISSING', {
      what,
      why: `${missing.map(({ command }) => command).join(', ')} not found`,
      next: `install a compiler (on Debian: sudo apt install ${packages}); a chip that a kernel driver serves needs none`,
    });
  }

  log.info({}, `Compiling i2c-bus for Node ${process.version} on ${architecture} …`);
  const built = spawnSync(
    'env',
    [
      ...compilerSettings(options, target),
      ...['npm', 'rebuild', 'i2c-bus', '--ignore-scripts=false', '--foreground-scripts', `--nodedir=${headers}`],
    ],
    { cwd: projectDirectory, encoding: 'utf8', timeout: 300_000 },
  );
  if (built.status !== 0) {
    const output = `${built.stdout ?? ''}${built.stderr ?? ''}`.trim();
    if (output) log.info({}, output);
    throw new ErichtError('UNEXPECTED', {
      what,
      why: built.error?.message ?? `npm rebuild ended with ${built.status}`,
    });
  }

  if (target) return;
  const loaded = spawnSync(process.execPath, ['-e', "require('i2c-bus')"], { cwd: projectDirectory, encoding: 'utf8' });
  if (loaded.status !== 0) {
    throw new ErichtError('UNEXPECTED', { what: 'i2c-bus was built but does not load', why: loaded.stderr.trim() });
  }
  log.info({}, `i2c-bus is built and loads in Node ${process.version}.`);
}

/** Variables that make the same bytes in every folder, and bytes for another processor. */
function compilerSettings({ projectDirectory, architecture, strip }: BuildI2cOptions, target?: string): string[] {
  const settings = [`CXXFLAGS=-ffile-prefix-map=${projectDirectory}=.`];
  if (strip) settings.push('LDFLAGS=-s');
  if (target) {
    const prefix = target.replace('x86-64', 'x86_64');
    settings.push(`CC=${prefix}-gcc`, `CXX=${prefix}-g++`, `npm_config_arch=${architecture}`);
  }
  return settings;
}

if (import.meta.main) {
  const log = plainLog('info', process.stderr);
  try {
    buildI2c({ projectDirectory: dirname(dirname(fileURLToPath(import.meta.url))), log });
  } catch (error) {
    const failure = toErichtError(error);
    log.error({}, failure.message);
    process.exitCode = failure.exitCode;
  }
}
