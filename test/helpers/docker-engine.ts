import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../lib/clock.ts';
import { ServerProcess } from '../../provision/stack/server-process.ts';
import { findProgram, installPackages, whyNoInstalling } from './debian-package.ts';
import { runTool } from './run-tool.ts';
import { type Teardown, tempDir } from './temp.ts';

export interface DockerEngine {
  socketPath: string;
  /** Runs a docker command against this engine. */
  docker(...args: string[]): Promise<string>;
  /** Runs docker compose, whichever generation this machine has. */
  compose(directory: string, ...args: string[]): Promise<string>;
  /** Ends the engine and with it its containers; its data stays. */
  stop(): Promise<void>;
  /** Starts it again, and waits until it answers. */
  start(): Promise<void>;
  /** SIGSTOP and SIGCONT: an engine that is there and says nothing. */
  freeze(): void;
  thaw(): void;
}

/** Why no engine can be started here; undefined when one can. */
export async function whyNoEngine(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'a Docker engine of its own needs Linux';
  if (process.getuid?.() !== 0) return 'a Docker engine of its own needs root';
  if ((await findProgram('dockerd')) && (await composeCommand())) return undefined;
  return whyNoInstalling();
}

/**
 * A Docker engine for one test, with its images and containers in a temporary folder: the machine's own engine, if there
 * is one, isn't touched, and an image made here never stands for the real one of that name.
 */
export async function ownDockerEngine(t: Teardown): Promise<DockerEngine> {
  if (!(await findProgram('dockerd'))) await installPackages('docker.io', 'iptables');
  if (!(await composeCommand())) await installPackages('docker-compose');
  const compose = await composeCommand();
  if (!compose) throw new Error('the package docker-compose brought no docker compose');
  const folder = await tempDir(t);
  const socketPath = join(folder, 'docker.sock');
  const socket = `unix://${socketPath}`;
  const directories = { data: join(folder, 'data'), exec: join(folder, 'exec') };
  await Promise.all(Object.values(directories).map((directory) => mkdir(directory)));
  const roots = ['--data-root', directories.data, '--exec-root', directories.exec];
  const args = [...roots, '--pidfile', join(folder, 'docker.pid'), '-H', socket, '--bridge', 'none'];
  const logFile = join(folder, 'dockerd.log');
  const server = new ServerProcess({ name: 'dockerd', command: 'dockerd', args, logFile, clock: systemClock });
  const env = { ...process.env, DOCKER_HOST: socket, DOCKER_CONFIG: folder };
  const docker = (...words: string[]) => runTool('docker', words, { env });
  const forwarding = await forwardPolicy();
  t.teardown(async () => {
    await server.stop(30_000);
    // The engine forbids forwarding for the whole machine and leaves it so.
    if (forwarding === 'ACCEPT') await runTool('iptables', ['-P', 'FORWARD', 'ACCEPT']);
    await unmountBelow(folder);
  });
  const answers = () =>
    docker('info').then(
      () => true,
      () => false,
    );
  const start = async () => {
    server.start();
    await server.untilReady(answers, 60_000);
  };
  await start();
  return {
    socketPath,
    docker,
    start,
    stop: () => server.stop(30_000),
    freeze: () => server.signal('SIGSTOP'),
    thaw: () => server.signal('SIGCONT'),
    compose: (directory, ...words) => {
      return runTool(compose[0] ?? '', [...compose.slice(1), ...words], { env, cwd: directory, limitMs: 300_000 });
    },
  };
}

async function composeCommand(): Promise<string[] | undefined> {
  const plugin = await runTool('docker', ['compose', 'version']).catch(() => undefined);
  if (plugin) return ['docker', 'compose'];
  return (await findProgram('docker-compose')) ? ['docker-compose'] : undefined;
}

async function forwardPolicy(): Promise<string | undefined> {
  const rules = await runTool('iptables', ['-S', 'FORWARD']).catch(() => '');
  return /-P FORWARD (\w+)/.exec(rules)?.[1];
}

/** An engine that was killed leaves mounts, and a folder with one of them can't be removed. */
async function unmountBelow(folder: string): Promise<void> {
  const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').map((line) => line.split(' ')[1] ?? '');
  for (const mount of mounts.filter((path) => path.startsWith(folder)).reverse()) {
    await runTool('umount', ['-l', mount]);
  }
}
