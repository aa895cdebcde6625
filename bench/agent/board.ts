import { cp, mkdir, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isThere } from '../../test/helpers/debian-package.ts';
import type { DockerEngine } from '../../test/helpers/docker-engine.ts';
import { buildShellImage } from '../../test/helpers/local-images.ts';

const RECORDED = fileURLToPath(new URL('../../test/fixtures/boards/rpi4/sys/class', import.meta.url));
const IMAGE = 'bench-idle:1';

/** Starts containers that sleep; returns their ids. `folder` must be empty. */
export async function startContainers(engine: DockerEngine, count: number, folder: string): Promise<string[]> {
  await buildShellImage(engine, IMAGE, folder);
  const ids: string[] = [];
  for (let n = 0; n < count; n += 1) {
    const name = `idle-${n}`;
    const options = ['--name', name, '--network', 'none', '--restart', 'unless-stopped'];
    ids.push((await engine.docker('run', '-d', ...options, IMAGE, 'sleep', '100000')).trim());
  }
  return ids;
}

/**
 * A /sys for all rows: this machine's own, but temperatures and two INA226 as recorded on a Raspberry Pi 4. Where this
 * machine has cgroup v1, the counters of the containers are linked to where cgroup v2 has them, so that they can be read
 * here as they are on a board.
 */
export async function makeSysfs(folder: string, containerIds: string[]): Promise<string> {
  await linkAll('/sys', folder, ['class', 'fs']);
  await linkAll('/sys/class', join(folder, 'class'), ['hwmon', 'thermal']);
  for (const name of ['hwmon', 'thermal']) {
    await cp(join(RECORDED, name), join(folder, 'class', name), { recursive: true, verbatimSymlinks: true });
  }
  if (await isThere('/sys/fs/cgroup/cgroup.controllers')) {
    await symlink('/sys/fs', join(folder, 'fs'));
    return folder;
  }
  await linkAll('/sys/fs', join(folder, 'fs'), ['cgroup']);
  const root = join(folder, 'fs/cgroup');
  await mkdir(join(root, 'docker'), { recursive: true });
  await writeFile(join(root, 'cgroup.controllers'), 'cpu memory\n');
  for (const id of containerIds) await linkCounters(join(root, 'docker', id), id);
  return folder;
}

async function linkCounters(directory: string, id: string): Promise<void> {
  await mkdir(directory);
  const memory = `/sys/fs/cgroup/memory/docker/${id}`;
  const from = {
    'cpu.stat': `/sys/fs/cgroup/unified/docker/${id}/cpu.stat`,
    'memory.current': `${memory}/memory.usage_in_bytes`,
    'memory.stat': `${memory}/memory.stat`,
  };
  for (const [name, target] of Object.entries(from)) {
    // One that is missing would make our agent look cheaper than it is.
    await stat(target);
    await symlink(target, join(directory, name));
  }
}

async function linkAll(from: string, to: string, but: string[]): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const name of await readdir(from)) if (!but.includes(name)) await symlink(join(from, name), join(to, name));
}
