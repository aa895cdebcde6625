import { join } from 'node:path';
import { KernelFile, readKernelNumber } from '../../hardware/kernel-file.ts';
import { reasonOf } from '../../lib/errors.ts';
import type { Finding, ReportPart, Sampler, SamplerSurroundings } from '../sampler.ts';
import { WifiSignals } from './wifi-signals.ts';

/** Loopback, and what container engines, clusters and hypervisors make: their traffic is counted on the real link. */
const VIRTUAL_INTERFACE =
  /^(lo|veth.*|docker\d+|docker_gwbridge|br-[0-9a-f]{12}|cni\d*|cali.*|flannel.*|kube-.*|virbr\d+.*|vnet\d+|ifb\d+|dummy\d+)$/;

const MOST_INTERFACES = 64;

/** Rates over a few seconds say more than over one, and a list in every row of a store weighs more than all the rest. */
const PERIOD_MS = 5000;

/** Whether a network interface leads out of this machine, as far as its name tells. */
export function isOwnInterface(name: string): boolean {
  return !VIRTUAL_INTERFACE.test(name);
}

interface Link {
  operstate: KernelFile;
  /** Link speed with the state that it was read in: it is negotiated anew only when the link goes down and up. */
  speed: { state: string | undefined; bitsPerSecond: number | undefined } | undefined;
}

/** Byte counters from /proc/net/dev, link state and speed from /sys/class/net, Wi-Fi signal from /proc/net/wireless. */
export class NetworkSampler implements Sampler {
  readonly name = 'network';
  readonly periodMs = PERIOD_MS;
  readonly timeoutMs = 1000;
  readonly #classRoot: string;
  /** Process 1's list is the host's, also where a container with a network of its own reads the host's /proc. */
  readonly #lists: KernelFile[];
  readonly #wifi: WifiSignals;
  #links = new Map<string, Link>();

  constructor({ procfs, sysfs, clock }: Pick<SamplerSurroundings, 'procfs' | 'sysfs' | 'clock'>) {
    this.#classRoot = join(sysfs, 'class/net');
    this.#lists = ['1/net/dev', 'net/dev'].map((name) => new KernelFile(join(procfs, name)));
    this.#wifi = new WifiSignals(
      ['1/net/wireless', 'net/wireless'].map((name) => join(procfs, name)),
      clock,
    );
  }

  async find(): Promise<Finding> {
    const subject = 'network';
    try {
      const names = (await this.#counters()).map(({ name }) => name);
      if (names.length > 0) return { subject, found: true, detail: names.join(', ').slice(0, 255) };
      return { subject, found: false, detail: `no network interface in ${this.#lists.at(-1)!.path}` };
    } catch (error) {
      return { subject, found: false, detail: `network interfaces can't be read: ${reasonOf(error)}` };
    }
  }

  async sample(signal: AbortSignal): Promise<ReportPart> {
    const counters = await this.#counters();
    const links = new Map<string, Link>();
    const interfaces: NonNullable<ReportPart['network']>['interfaces'] = [];
    const wifi = this.#wifi.current();
    for (const { name, receivedBytes, sentBytes } of counters) {
      const link = this.#links.get(name) ?? this.#newLink(name);
      links.set(name, link);
      const state = await link.operstate.text();
      const speedBitsPerSecond = await this.#speedOf(name, link, state, signal);
      const signalThere = wifi?.get(name);
      interfaces.push({
        name,
        // Tunnels and some drivers never say more than "unknown".
        ...(state === 'up' || state === 'down' ? { up: state === 'up' } : {}),
        receivedBytes,
        sentBytes,
        ...(speedBitsPerSecond === undefined ? {} : { speedBitsPerSecond }),
        ...(signalThere && { wifi: signalThere }),
      });
    }
    for (const [name, link] of this.#links) if (!links.has(name)) link.operstate.close();
    this.#links = links;
    return { network: { interfaces } };
  }

  async stop(): Promise<void> {
    for (const file of [...this.#lists, ...[...this.#links.values()].map(({ operstate }) => operstate)]) file.close();
    this.#wifi.stop();
  }

  /** Read each time as a whole: a USB adapter or a tunnel comes and goes. */
  async #counters(): Promise<Counters[]> {
    let denied: unknown;
    for (const list of this.#lists) {
      try {
        const text = await list.text();
        if (text !== undefined)
          return parseNetDev(text)
            .filter(({ name }) => isOwnInterface(name))
            .slice(0, MOST_INTERFACES);
      } catch (error) {
        // A system that hides processes of others hides the first one's list, too.
        denied = error;
      }
    }
    if (denied !== undefined) throw denied;
    return [];
  }

  #newLink(name: string): Link {
    return { operstate: new KernelFile(join(this.#classRoot, name, 'operstate')), speed: undefined };
  }

  async #speedOf(
    name: string,
    link: Link,
    state: string | undefined,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    if (link.speed?.state !== state || !link.speed) {
      // In Mbit/s; -1 where it isn't known. Wi-Fi has none. The driver is asked, which may take a while.
      const megabits = await readKernelNumber(join(this.#classRoot, name, 'speed'), signal);
      link.speed = { state, bitsPerSecond: megabits !== undefined && megabits > 0 ? megabits * 1e6 : undefined };
    }
    return link.speed.bitsPerSecond;
  }
}

interface Counters {
  name: string;
  receivedBytes: number;
  sentBytes: number;
}

/** /proc/net/dev: after two lines of headings "name: bytes packets errs drop fifo frame compressed multicast bytes ...". */
export function parseNetDev(text: string): Counters[] {
  const counters: Counters[] = [];
  // A name may hold a colon (an alias), the counters don't.
  for (const [, name, fields] of text.matchAll(/^ *(\S+): *(\d.*)$/gm)) {
    const numbers = fields!.split(/ +/);
    const [receivedBytes, sentBytes] = [Number(numbers[0]), Number(numbers[8])];
    if (Number.isSafeInteger(receivedBytes) && Number.isSafeInteger(sentBytes)) {
      counters.push({ name: name!, receivedBytes, sentBytes });
    }
  }
  return counters;
}
