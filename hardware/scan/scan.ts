import { access, constants } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { LinuxI2cBus } from '../i2c/linux.ts';
import { formatAddress, type I2cBus } from '../i2c/port.ts';
import { listKernelDirectory, readKernelText } from '../kernel-file.ts';
import type { RailSettings } from '../rail-reader.ts';
import { type ScannedChip, scanAddresses } from './chips.ts';
import { type Claim, findClaims } from './claims.ts';

export interface ScanOptions {
  sysfs: string;
  dev: string;
  /** As configured. */
  rails: RailSettings[];
  /** Opens a bus by number; a real one unless a test says otherwise. */
  openBus?: (busNumber: number) => I2cBus;
}

export interface ScannedBus {
  bus: number;
  node: string;
  /** What its driver calls it. */
  adapter?: string;
  chips: ScannedChip[];
  /** Why it can't be read, and what to do; chips of drivers are listed all the same. */
  problem?: { why: string; next?: string };
}

/** Whether the chip of a configured rail is where the configuration says. */
export interface ScannedRail extends Pick<RailSettings, 'label' | 'bus' | 'address'> {
  found: boolean;
  detail: string;
}

export interface SensorScan {
  buses: ScannedBus[];
  rails: ScannedRail[];
}

/** Every I2C bus of this machine and what sits at the addresses of an INA226. Changes nothing; never rejects for a bus. */
export async function scanSensors(options: ScanOptions): Promise<SensorScan> {
  const claims = await findClaims(options.sysfs);
  const buses: ScannedBus[] = [];
  for (const bus of await busNumbers(options, claims)) {
    buses.push(
      await scanBus(
        bus,
        claims.filter((claim) => claim.bus === bus),
        options,
      ),
    );
  }
  return { buses, rails: options.rails.map((rail) => scannedRail(rail, buses)) };
}

async function busNumbers({ sysfs, dev }: ScanOptions, claims: Claim[]): Promise<number[]> {
  const lists = [dev, join(sysfs, 'class/i2c-dev'), join(sysfs, 'bus/i2c/devices')].map(listKernelDirectory);
  const names = (await Promise.all(lists)).flat();
  const numbers = names.flatMap((name) => /^i2c-(\d+)$/.exec(name)?.[1] ?? []).map(Number);
  return [...new Set([...numbers, ...claims.map(({ bus }) => bus)])].toSorted((a, b) => a - b);
}

async function scanBus(bus: number, claims: Claim[], { sysfs, dev, openBus }: ScanOptions): Promise<ScannedBus> {
  const node = join(dev, `i2c-${bus}`);
  const adapter =
    (await readKernelText(join(sysfs, `class/i2c-dev/i2c-${bus}/name`))) ??
    (await readKernelText(join(sysfs, `bus/i2c/devices/i2c-${bus}/name`)));
  const known = { bus, node, ...(adapter && { adapter }) };
  const problem = (await obstacle(node)) ?? (openBus || resolve(dev) === '/dev' ? undefined : ELSEWHERE);
  if (problem) return { ...known, chips: claimed(claims), problem };
  const opened = (openBus ?? ((number) => new LinuxI2cBus(number)))(bus);
  try {
    const scanned = await scanAddresses(opened, claims);
    const unseen = claims.filter(({ address }) => !scanned.chips.some((chip) => chip.address === address));
    return { ...known, ...scanned, chips: [...scanned.chips, ...claimed(unseen)] };
  } finally {
    await opened.close();
  }
}

function claimed(claims: Claim[]): ScannedChip[] {
  return claims.map((claim) => ({ address: claim.address, state: 'claimed', claim }));
}

/** The addon opens /dev itself: another folder holds the buses of another machine, or the same ones by other names. */
const ELSEWHERE = { why: 'chips are looked for only where path.dev is /dev' };

async function obstacle(node: string): Promise<{ why: string; next?: string } | undefined> {
  try {
    await access(node, constants.R_OK | constants.W_OK);
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') {
      return {
        why: 'there is no such file: i2c-dev is not loaded',
        next: 'sudo modprobe i2c-dev, and for each boot: echo i2c-dev | sudo tee /etc/modules-load.d/i2c-dev.conf',
      };
    }
    return {
      why: 'this user may not read it',
      next: 'sudo usermod -aG i2c "$USER", then log in anew',
    };
  }
}

function scannedRail({ label, bus: busNumber, address }: RailSettings, buses: ScannedBus[]): ScannedRail {
  const bus = buses.find((one) => one.bus === busNumber);
  const chip = bus?.chips.find((one) => one.address === address);
  const place = { label, bus: busNumber, address };
  if (!bus) return { ...place, found: false, detail: `there is no I2C bus ${busNumber}` };
  if (chip?.state === 'ina226')
    return { ...place, found: true, detail: `INA226 at ${bus.node} ${formatAddress(address)}` };
  if (chip?.claim?.served) {
    const { by, name } = chip.claim.served;
    return { ...place, found: true, detail: `${name} through the kernel (${by})` };
  }
  return { ...place, found: false, detail: whyNot(bus, chip) };
}

function whyNot({ node, problem }: ScannedBus, chip: ScannedChip | undefined): string {
  if (chip?.state === 'claimed')
    return `the driver ${chip.claim?.driver ?? 'of the kernel'} has the chip and offers no reading of it`;
  if (chip?.state === 'other') return 'the chip at this address is not an INA226';
  if (chip?.why !== undefined) return chip.why;
  return problem ? `${node} can't be read: ${problem.why}` : 'no chip answers at this address';
}
