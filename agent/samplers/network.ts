import { join } from 'node:path';
import { listKernelDirectory, readKernelNumber, readKernelText } from '../../hardware/kernel-file.ts';
import { reasonOf } from '../../lib/errors.ts';
import type { Finding, ReportPart, Sampler, SamplerSurroundings } from '../sampler.ts';

/** Loopback, and what container engines, clusters and hypervisors make: their traffic is counted on the real link. */
const VIRTUAL_INTERFACE =
  /^(lo|veth.*|docker\d+|docker_gwbridge|br-[0-9a-f]{12}|cni\d*|cali.*|flannel.*|kube-.*|virbr\d+.*|vnet\d+|ifb\d+|dummy\d+)$/;

const MOST_INTERFACES = 64;

/** Whether a network interface leads out of this machine, as far as its name tells. */
export function isOwnInterface(name: string): boolean {
  return !VIRTUAL_INTERFACE.test(name);
}

/** Byte counters and link state from /sys/class/net. */
export class NetworkSampler implements Sampler {
  readonly name = 'network';
  readonly periodMs: number;
  readonly timeoutMs = 1000;
  readonly #root: string;
  /** Link speed with the state that it was read in: it is negotiated anew only when the link goes down and up. */
  readonly #speeds = new Map<string, { state: string | undefined; bitsPerSecond: number | undefined }>();

  constructor({ sysfs }: Pick<SamplerSurroundings, 'sysfs'>, periodMs: number) {
    this.periodMs = periodMs;
    this.#root = join(sysfs, 'class/net');
  }

  async find(): Promise<Finding> {
    const subject = 'network';
    try {
      const names = await this.#interfaces();
      if (names.length > 0) return { subject, found: true, detail: names.join(', ').slice(0, 255) };
      return { subject, found: false, detail: `no network interface in ${this.#root}` };
    } catch (error) {
      return { subject, found: false, detail: `${this.#root} can't be read: ${reasonOf(error)}` };
    }
  }

  async sample(signal: AbortSignal): Promise<ReportPart> {
    // Listed each time: a USB adapter or a tunnel comes and goes.
    const names = await this.#interfaces();
    for (const known of this.#speeds.keys()) if (!names.includes(known)) this.#speeds.delete(known);
    const interfaces = await Promise.all(names.map((name) => this.#interface(name, signal)));
    return { network: { interfaces: interfaces.filter((one) => one !== undefined) } };
  }

  async #interfaces(): Promise<string[]> {
    return (await listKernelDirectory(this.#root)).filter(isOwnInterface).slice(0, MOST_INTERFACES);
  }

  async #interface(name: string, signal: AbortSignal) {
    const directory = join(this.#root, name);
    const [receivedBytes, sentBytes, state] = await Promise.all([
      readKernelNumber(join(directory, 'statistics/rx_bytes'), signal),
      readKernelNumber(join(directory, 'statistics/tx_bytes'), signal),
      readKernelText(join(directory, 'operstate'), signal),
    ]);
    if (receivedBytes === undefined || sentBytes === undefined) return undefined;
    const speedBitsPerSecond = await this.#speedOf(name, state, signal);
    return {
      name,
      // Tunnels and some drivers never say more than "unknown".
      ...(state === 'up' || state === 'down' ? { up: state === 'up' } : {}),
      receivedBytes,
      sentBytes,
      ...(speedBitsPerSecond === undefined ? {} : { speedBitsPerSecond }),
    };
  }

  async #speedOf(name: string, state: string | undefined, signal: AbortSignal): Promise<number | undefined> {
    const known = this.#speeds.get(name);
    if (known && known.state === state) return known.bitsPerSecond;
    // In Mbit/s; -1 where it isn't known. Wi-Fi has none.
    const megabits = await readKernelNumber(join(this.#root, name, 'speed'), signal);
    const bitsPerSecond = megabits !== undefined && megabits > 0 ? megabits * 1e6 : undefined;
    this.#speeds.set(name, { state, bitsPerSecond });
    return bitsPerSecond;
  }
}
