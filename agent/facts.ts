import { cpus, networkInterfaces, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { readKernelText } from '../hardware/kernel-file.ts';
import { readPageSize } from '../hardware/page-size.ts';
import { profileOf } from '../hardware/profiles.ts';
import type { Clock } from '../lib/clock.ts';
import { withDeadline } from '../lib/deadline.ts';
import { reasonOf } from '../lib/errors.ts';
import type { Facts } from '../telemetry/facts.ts';
import type { Finding, Sampler } from './sampler.ts';
import { parseStat } from './samplers/cpu.ts';
import { parseMeminfo } from './samplers/memory.ts';
import { isOwnInterface } from './samplers/network.ts';

/** Facts without who speaks and when: the agent adds those. */
export type FactsPart = Pick<
  Facts,
  | 'intervalMs'
  | 'model'
  | 'boardProfile'
  | 'maxWatts'
  | 'pageSizeBytes'
  | 'hardwareSerial'
  | 'operatingSystem'
  | 'kernel'
  | 'architecture'
  | 'cores'
  | 'memoryBytes'
  | 'addresses'
  | 'versions'
  | 'rails'
  | 'findings'
>;

export interface FactsOptions {
  procfs: string;
  sysfs: string;
  /** Default /etc/os-release, where /proc is this system's own. */
  osReleaseFile?: string;
  intervalMs: number;
  /** Those of the agent: their findings and facts are part of it. */
  samplers: Sampler[];
  /** Of our own parts; Node and what the samplers know are added. */
  versions: Record<string, string>;
  /** Further findings, such as that on the wall clock. */
  findings?: Finding[];
  clock: Clock;
}

/** A sampler that hangs in its search doesn't keep the rest from being told. */
const FIND_WITHIN_MS = 10_000;

/** Everything that changes rarely, read anew; what can't be read is absent. Never rejects. */
export async function gatherFacts(options: FactsOptions): Promise<FactsPart> {
  const { procfs, sysfs, intervalMs, samplers, clock } = options;
  const findings = await Promise.all(samplers.map((sampler) => findingOf(sampler, clock)));
  const known = samplers.map((sampler) => sampler.facts?.() ?? {});
  // Another root speaks of another system, about which this one's own answers would be wrong.
  const here = procfs === '/proc';
  const hardware = await readHardware(sysfs, here);
  const rails = known.flatMap((facts) => facts.rails ?? []);
  const profile = hardware.model === undefined ? undefined : profileOf(hardware.model);
  return definedOnly({
    intervalMs,
    model: hardware.model,
    boardProfile: profile?.id,
    maxWatts: profile?.maxWatts,
    pageSizeBytes: await readPageSize(procfs),
    hardwareSerial: hardware.serial,
    operatingSystem:
      (await readOsName(options.osReleaseFile ?? (here ? '/etc/os-release' : ''))) ?? hardware.operatingSystem,
    kernel: (await text(join(procfs, 'sys/kernel/osrelease'))) ?? (here ? release() : undefined),
    architecture: process.arch,
    ...(await readSize(procfs, here)),
    addresses: here ? ownAddresses() : undefined,
    versions: Object.assign({ node: process.versions.node }, options.versions, ...known.map((facts) => facts.versions)),
    rails: rails.length > 0 ? rails.slice(0, 16) : undefined,
    findings: [boardFinding(hardware.model), ...findings, ...(options.findings ?? [])]
      .slice(0, 64)
      .map(({ subject, found, detail }) => ({ subject, found, detail: detail.slice(0, 255) })),
  });
}

async function findingOf(sampler: Sampler, clock: Clock): Promise<Finding> {
  try {
    return await withDeadline(sampler.find(), FIND_WITHIN_MS, `looking for ${sampler.name}`, clock);
  } catch (error) {
    return { subject: sampler.name, found: false, detail: reasonOf(error).slice(0, 255) };
  }
}

function boardFinding(model: string | undefined): Finding {
  if (model === undefined) return { subject: 'board', found: false, detail: 'the system tells no model' };
  const { id, name, headerI2c } = profileOf(model);
  const detail = headerI2c
    ? `${name}: /dev/i2c-${headerI2c.bus} is on pins ${headerI2c.sdaPin} (SDA) and ${headerI2c.sclPin} (SCL)`
    : `${model}${id === 'generic' ? ', no known pin header' : ''}`;
  return { subject: 'board', found: true, detail: detail.slice(0, 255) };
}

interface Hardware {
  model?: string | undefined;
  serial?: string | undefined;
  operatingSystem?: string | undefined;
}

/** What PC makers leave in their tables unfilled. */
const FILLER =
  /^$|^0+$|^none$|^n\/?a$|default string|o\.e\.m\.|not (specified|applicable|available)|^system (product name|serial number)$/i;

async function readHardware(sysfs: string, here: boolean): Promise<Hardware> {
  const tree = join(sysfs, 'firmware/devicetree/base');
  const model = await text(join(tree, 'model'));
  if (model) return { model, serial: await real(join(tree, 'serial-number')) };
  const dmi = join(sysfs, 'class/dmi/id');
  const product = await real(join(dmi, 'product_name'));
  if (product !== undefined) {
    const vendor = await real(join(dmi, 'sys_vendor'));
    const name = vendor === undefined || product.startsWith(vendor) ? product : `${vendor} ${product}`;
    // Only root may read the serial of a PC; then it is simply absent.
    return { model: name.slice(0, 255), serial: await real(join(dmi, 'product_serial')) };
  }
  return here && process.platform !== 'linux' ? await askSystem() : {};
}

/** Elsewhere the answer takes child processes: once, here, and never while sampling. */
async function askSystem(): Promise<Hardware> {
  try {
    const { default: information } = await import('systeminformation');
    const [system, os] = await Promise.all([information.system(), information.osInfo()]);
    const filled = (value: string) => (FILLER.test(value.trim()) ? undefined : value.trim().slice(0, 255));
    return {
      model: filled(`${system.manufacturer} ${system.model}`),
      serial: filled(system.serial),
      operatingSystem: filled(`${os.distro} ${os.release}`),
    };
  } catch {
    // Facts are a courtesy: without them the node is still named and measured.
    return {};
  }
}

async function readSize(procfs: string, here: boolean): Promise<{ cores?: number; memoryBytes?: number }> {
  try {
    const cores = parseStat((await text(join(procfs, 'stat'))) ?? '').cores.size;
    const { totalBytes } = parseMeminfo((await text(join(procfs, 'meminfo'))) ?? '');
    return { cores, memoryBytes: totalBytes };
  } catch {
    // No /proc of this shape.
    return here ? { cores: cpus().length, memoryBytes: totalmem() } : {};
  }
}

async function readOsName(file: string): Promise<string | undefined> {
  const line = /^PRETTY_NAME=(.*)$/m.exec((await text(file)) ?? '')?.[1];
  return line?.replace(/^(["'])(.*)\1$/, '$2').slice(0, 255) || undefined;
}

/** Where this machine is reached from outside; link-local addresses are of no use to a reader elsewhere. */
function ownAddresses(): string[] | undefined {
  const addresses = Object.entries(networkInterfaces())
    .filter(([name]) => isOwnInterface(name))
    .flatMap(([, list]) => list ?? [])
    .filter(({ internal, address }) => !internal && !/^(fe80:|169\.254\.)/i.test(address))
    .map(({ address }) => address);
  return addresses.length > 0 ? addresses.slice(0, 64) : undefined;
}

async function real(path: string): Promise<string | undefined> {
  const value = await text(path);
  return value === undefined || FILLER.test(value) ? undefined : value;
}

async function text(path: string): Promise<string | undefined> {
  try {
    return (await readKernelText(path))?.slice(0, 65_536);
  } catch {
    // Denied counts as not told.
    return undefined;
  }
}

function definedOnly(part: { [Key in keyof FactsPart]: FactsPart[Key] | undefined }): FactsPart {
  return Object.fromEntries(Object.entries(part).filter(([, value]) => value !== undefined)) as FactsPart;
}
