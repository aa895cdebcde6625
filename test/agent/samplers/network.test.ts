import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { isOwnInterface, NetworkSampler, parseNetDev } from '../../../agent/samplers/network.ts';
import { parseWireless } from '../../../agent/samplers/wifi-signals.ts';
import { reportSchema } from '../../../telemetry/report.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import { until } from '../../helpers/until.ts';

const never = new AbortController().signal;

const HEAD = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
`;
const counted = (...names: string[]) =>
  HEAD + names.map((name) => `${name.padStart(6)}:     100  1 0 0 0 0 0 0       50  1 0 0 0 0 0 0\n`).join('');

const link = (operstate: string, speed?: string) => ({
  operstate: `${operstate}\n`,
  ...(speed === undefined ? {} : { speed: `${speed}\n` }),
});

function samplerOf(t: Test, links: Record<string, ReturnType<typeof link>>, wireless?: string) {
  const net = { dev: counted(...Object.keys(links)), ...(wireless === undefined ? {} : { wireless }) };
  const root = t.testdir({ proc: { net }, sys: { class: { net: links } } });
  const clock = new ManualClock();
  const sampler = new NetworkSampler({ procfs: join(root, 'proc'), sysfs: join(root, 'sys'), clock });
  const write = (path: string, text: string) => writeFileSync(join(root, path), text);
  const interfaces = async () => (await sampler.sample(never)).network!.interfaces;
  return { root, sampler, clock, write, interfaces };
}

t.test('what containers and hypervisors make is not a way out of the machine', async (t) => {
  for (const name of ['lo', 'veth1a2b', 'docker0', 'docker_gwbridge', 'br-0123456789ab', 'cni0', 'flannel.1', 'virbr0'])
    t.notOk(isOwnInterface(name), name);
  for (const name of ['eth0', 'end0', 'enP4p65s0', 'wlan0', 'br0', 'br-lan', 'bond0', 'wg0', 'tailscale0', 'usb0'])
    t.ok(isOwnInterface(name), name);
});

t.test('the list of the kernel is read whole, however its columns run together', async (t) => {
  const text = `${HEAD}    lo: 2362901342 1462778    0    0    0     0          0         0 2362901342 1462778    0    0    0     0       0          0
  eth0:912345678  812345    0    3    0     0          0         1 123456789  512345    0    0    0     0       0          0
eth0:1:       7       1    0    0    0     0          0         0        9       1    0    0    0     0       0          0
`;
  t.same(parseNetDev(text), [
    { name: 'lo', receivedBytes: 2_362_901_342, sentBytes: 2_362_901_342 },
    { name: 'eth0', receivedBytes: 912_345_678, sentBytes: 123_456_789 },
    { name: 'eth0:1', receivedBytes: 7, sentBytes: 9 },
  ]);
  t.same(parseNetDev(HEAD), []);
  t.same(parseNetDev('  eth0: 5\n'), [], 'a line without all counters is none');
});

t.test('counters, state and speed are told as far as the driver does', async (t) => {
  const links = { eth0: link('up', '1000'), eth1: link('down', '-1'), wg0: link('unknown'), lo: link('unknown') };
  const { sampler, interfaces } = samplerOf(t, links);
  t.match(await sampler.find(), { found: true, detail: 'eth0, eth1, wg0' });
  t.same(await interfaces(), [
    { name: 'eth0', up: true, receivedBytes: 100, sentBytes: 50, speedBitsPerSecond: 1e9 },
    { name: 'eth1', up: false, receivedBytes: 100, sentBytes: 50 },
    { name: 'wg0', receivedBytes: 100, sentBytes: 50 },
  ]);
});

t.test("the first process's list is preferred: it is the host's, seen from a container", async (t) => {
  const { root, sampler, write } = samplerOf(t, { eth0: link('up') });
  mkdirSync(join(root, 'proc/1/net'), { recursive: true });
  write('proc/1/net/dev', counted('eth7'));
  t.match(await sampler.find(), { found: true, detail: 'eth7' });
});

t.test('a link that goes down and comes back is asked for its speed again', async (t) => {
  const { write, interfaces } = samplerOf(t, { eth0: link('up', '1000') });
  const speed = async () => (await interfaces())[0]?.speedBitsPerSecond;
  t.equal(await speed(), 1e9);
  write('sys/class/net/eth0/speed', '10\n');
  t.equal(await speed(), 1e9, 'not asked while the link stays up');
  write('sys/class/net/eth0/operstate', 'down\n');
  write('sys/class/net/eth0/speed', '-1\n');
  t.equal(await speed(), undefined);
  write('sys/class/net/eth0/operstate', 'up\n');
  write('sys/class/net/eth0/speed', '100\n');
  t.equal(await speed(), 1e8);
});

t.test('an adapter that is pulled is gone from the next reading', async (t) => {
  const { root, write, interfaces } = samplerOf(t, { eth0: link('up'), usb0: link('up') });
  t.equal((await interfaces()).length, 2);
  write('proc/net/dev', counted('eth0'));
  rmSync(join(root, 'sys/class/net/usb0'), { recursive: true });
  t.same(
    (await interfaces()).map(({ name }) => name),
    ['eth0'],
  );
});

const WIRELESS = `Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE
 face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22
`;

t.test('a Wi-Fi signal is told in dBm where the driver counts so', async (t) => {
  const signals = parseWireless(
    `${WIRELESS}wlp5s0: 0000   68.  -42.  -256        0      0      0      0   3851        0
 wlan0: 0000   35   -75   -256        0      0      0      0      0        0
 wlan1: 0000  100.   95.    0.       0      0      0      0      0        0
 wlan2: 0000    0.  -256.  -256.       0      0      0      0      0        0
`,
    5,
  );
  t.same(
    [...signals],
    [
      ['wlp5s0', { sampledAt: 5, signalDecibelMilliwatts: -42, linkQualityRatio: 0.971 }],
      ['wlan0', { sampledAt: 5, signalDecibelMilliwatts: -75, linkQualityRatio: 0.5 }],
    ],
  );
});

t.test('the signal is read every 10 s beside the reports, and forgotten when it is too old', async (t) => {
  const line = (level: number) =>
    `${WIRELESS} wlan0: 0000   63.  ${level}.  -256        0      0      0      0      6        0\n`;
  const { root, clock, write, interfaces } = samplerOf(t, { wlan0: link('up'), eth0: link('up') }, line(-47));
  const signalNow = async () => (await interfaces())[0]?.wifi?.signalDecibelMilliwatts;
  t.equal(await signalNow(), undefined, 'the first report does not wait for the chip');
  await until('it was read', async () => (await signalNow()) === -47);
  const report = { network: { interfaces: await interfaces() } };
  t.ok(reportSchema.partial().safeParse(report).success, 'as the contract has it');
  t.equal(report.network.interfaces[1]!.wifi, undefined);
  write('proc/net/wireless', line(-60));
  await clock.advance(9000);
  t.equal(await signalNow(), -47);
  await clock.advance(1500);
  await until('it is read again', async () => (await signalNow()) === -60);
  rmSync(join(root, 'proc/net/wireless'));
  await clock.advance(21_000);
  t.equal(await signalNow(), undefined);
});
