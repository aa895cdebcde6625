import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { goTool, NODE_EXPORTER, TELEGRAF } from './tools.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

/** What all rows read, and where they send it. */
export interface Surroundings {
  /** An own folder of the row. */
  folder: string;
  sysfs: string;
  dockerSocket: string;
  broker: string;
  /** Of this row alone. */
  topic: string;
  port: number;
}

export interface Row {
  name: string;
  /** What the table calls it. */
  title: string;
  /** What becomes of its readings. */
  output: 'reports' | 'lines' | 'scraped' | 'none';
  start(surroundings: Surroundings): Promise<{ command: string; args: string[]; env?: Record<string, string> }>;
}

/** `bundle` is the folder of an unpacked bundle. */
export function allRows({ bundle }: { bundle: string | undefined }): Row[] {
  const rows: Row[] = [
    { name: 'source', title: 'Ericht, from source', output: 'reports', start: fromSource },
    { name: 'telegraf', title: 'Telegraf, lean, all each second', output: 'lines', start: telegraf('1s') },
    { name: 'telegraf-slow', title: 'Telegraf, Docker each 10 s', output: 'lines', start: telegraf('10s') },
    { name: 'node_exporter', title: 'node_exporter, scraped', output: 'scraped', start: nodeExporter },
    { name: 'bare', title: 'bare Node reading seven files', output: 'none', start: bareNode },
  ];
  if (bundle === undefined) return rows;
  const start = async (surroundings: Surroundings) => {
    const command = join(bundle, 'bin/ericht');
    return { command, args: agentArguments(surroundings), env: agentEnvironment(surroundings) };
  };
  return [{ name: 'bundle', title: 'Ericht, the bundle', output: 'reports', start }, ...rows];
}

async function fromSource(surroundings: Surroundings) {
  const args = [join(PROJECT, 'cli/ericht.js'), ...agentArguments(surroundings)];
  return { command: process.execPath, args, env: agentEnvironment(surroundings) };
}

function agentArguments({ folder, sysfs, dockerSocket, broker, topic }: Surroundings): string[] {
  const settings = {
    'data-dir': folder,
    transport: 'kafka',
    'kafka.brokers': broker,
    'kafka.topic-prefix': `${topic}.`,
    'docker.socket': dockerSocket,
    'path.sysfs': sysfs,
  };
  return ['agent', ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])];
}

/** As on a board: no configuration but ours, no cache of compiled sources. */
function agentEnvironment({ folder }: Surroundings): Record<string, string> {
  return { HOME: folder, NODE_ENV: 'production' };
}

function telegraf(dockerInterval: string): Row['start'] {
  return async ({ folder, sysfs, dockerSocket, broker, topic }) => {
    const file = join(folder, 'telegraf.conf');
    await writeFile(file, telegrafConfig({ dockerInterval, dockerSocket, broker, topic }));
    return { command: await goTool(TELEGRAF), args: ['--config', file], env: { HOST_SYS: sysfs } };
  };
}

/** The inputs at the pace of our agent's samplers; what its readings are made into is Telegraf's own, smallest format. */
function telegrafConfig(options: { dockerInterval: string; dockerSocket: string; broker: string; topic: string }) {
  const { dockerInterval, dockerSocket, broker, topic } = options;
  return `[agent]
  interval = "1s"
  flush_interval = "1s"
  quiet = true
[[inputs.cpu]]
  percpu = true
  totalcpu = true
[[inputs.mem]]
[[inputs.system]]
[[inputs.net]]
  ignore_protocol_stats = true
[[inputs.temp]]
[[inputs.disk]]
  interval = "10s"
  ignore_fs = ["tmpfs", "devtmpfs", "devfs", "iso9660", "overlay", "aufs", "squashfs"]
[[inputs.docker]]
  interval = "${dockerInterval}"
  endpoint = "unix://${dockerSocket}"
  perdevice_include = []
  total_include = ["cpu"]
[[outputs.kafka]]
  brokers = ["${broker}"]
  topic = "${topic}"
  data_format = "influx"
  required_acks = -1
  compression_codec = 0
`;
}

/** It knows no Docker. */
async function nodeExporter({ sysfs, port }: Surroundings) {
  const args = [`--path.sysfs=${sysfs}`, `--web.listen-address=127.0.0.1:${port}`, '--log.level=error'];
  return { command: await goTool(NODE_EXPORTER), args };
}

async function bareNode() {
  return { command: process.execPath, args: [fileURLToPath(new URL('bare-node.js', import.meta.url))] };
}
