import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../lib/clock.ts';
import { plainLog } from '../../lib/log.ts';
import { cacheDirectory } from '../../provision/stack/fetch.ts';
import { withFetchLock } from '../../provision/stack/fetch-lock.ts';
import { findProgram, isThere } from '../../test/helpers/debian-package.ts';
import { runTool } from '../../test/helpers/run-tool.ts';

const BUILD_LIMIT_MS = 30 * 60_000;

/** A program made by the Go toolchain of this machine from a pinned version: the module proxy proves its content. */
interface GoTool {
  name: string;
  package: string;
  version: string;
  tags: string[];
}

export const NODE_EXPORTER: GoTool = {
  name: 'node_exporter',
  package: 'github.com/prometheus/node_exporter',
  version: 'v1.12.1',
  tags: [],
};

/** Lean: only what this comparison reads and writes. */
export const TELEGRAF: GoTool = {
  name: 'telegraf',
  package: 'github.com/influxdata/telegraf/cmd/telegraf',
  version: 'v1.37.2',
  tags: [
    'custom',
    ...['cpu', 'mem', 'disk', 'net', 'temp', 'system', 'docker'].map((name) => `inputs.${name}`),
    'outputs.kafka',
    'serializers.influx',
  ],
};

/** Full path of the program; made the first time, which takes minutes. Throws with the compiler's own words. */
export async function goTool(tool: GoTool): Promise<string> {
  const folder = join(cacheDirectory(process.env, homedir()), 'bench', `${tool.name}-${tool.version}`);
  const file = join(folder, tool.name);
  if (await isThere(file)) return file;
  const log = plainLog('info', process.stderr);
  const go = (await findProgram('go')) ?? '/usr/local/go/bin/go';
  if (!(await isThere(go))) throw new Error(`${tool.name} is made by Go, and there is no "go" on this machine`);
  await mkdir(folder, { recursive: true });
  await withFetchLock(folder, { clock: systemClock, log, limitMs: BUILD_LIMIT_MS }, async () => {
    if (await isThere(file)) return;
    log.info({}, `Making ${tool.name} ${tool.version} (once; takes minutes)`);
    const args = [
      'install',
      '-trimpath',
      '-ldflags',
      '-s -w',
      '-tags',
      tool.tags.join(','),
      `${tool.package}@${tool.version}`,
    ];
    const env = { ...process.env, GOBIN: folder, CGO_ENABLED: '0' };
    await runTool(go, args, { env, limitMs: BUILD_LIMIT_MS });
  });
  return file;
}
