import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { isOwnInterface, NetworkSampler } from '../../../agent/samplers/network.ts';

const never = new AbortController().signal;

const link = (operstate: string, speed?: string) => ({
  operstate: `${operstate}\n`,
  ...(speed === undefined ? {} : { speed: `${speed}\n` }),
  statistics: { rx_bytes: '100\n', tx_bytes: '50\n' },
});

t.test('what containers and hypervisors make is not a way out of the machine', async (t) => {
  for (const name of ['lo', 'veth1a2b', 'docker0', 'docker_gwbridge', 'br-0123456789ab', 'cni0', 'flannel.1', 'virbr0'])
    t.notOk(isOwnInterface(name), name);
  for (const name of ['eth0', 'end0', 'enP4p65s0', 'wlan0', 'br0', 'br-lan', 'bond0', 'wg0', 'tailscale0', 'usb0'])
    t.ok(isOwnInterface(name), name);
});

t.test('counters, state and speed are told as far as the driver does', async (t) => {
  const root = t.testdir({
    class: { net: { eth0: link('up', '1000'), eth1: link('down', '-1'), wg0: link('unknown'), lo: link('unknown') } },
  });
  const sampler = new NetworkSampler({ sysfs: root }, 1000);
  t.match(await sampler.find(), { found: true, detail: 'eth0, eth1, wg0' });
  t.same((await sampler.sample(never)).network?.interfaces, [
    { name: 'eth0', up: true, receivedBytes: 100, sentBytes: 50, speedBitsPerSecond: 1e9 },
    { name: 'eth1', up: false, receivedBytes: 100, sentBytes: 50 },
    { name: 'wg0', receivedBytes: 100, sentBytes: 50 },
  ]);
});

t.test('a link that goes down and comes back is asked for its speed again', async (t) => {
  const root = t.testdir({ class: { net: { eth0: link('up', '1000') } } });
  const sampler = new NetworkSampler({ sysfs: root }, 1000);
  const speed = async () => (await sampler.sample(never)).network?.interfaces[0]?.speedBitsPerSecond;
  const write = (name: string, text: string) => writeFileSync(join(root, 'class/net/eth0', name), text);
  t.equal(await speed(), 1e9);
  write('operstate', 'down\n');
  write('speed', '-1\n');
  t.equal(await speed(), undefined);
  write('operstate', 'up\n');
  write('speed', '100\n');
  t.equal(await speed(), 1e8);
});

t.test('an adapter that is pulled is gone from the next reading', async (t) => {
  const root = t.testdir({ class: { net: { eth0: link('up'), usb0: link('up') } } });
  const sampler = new NetworkSampler({ sysfs: root }, 1000);
  t.equal((await sampler.sample(never)).network?.interfaces.length, 2);
  rmSync(join(root, 'class/net/usb0'), { recursive: true });
  t.same(
    (await sampler.sample(never)).network?.interfaces.map(({ name }) => name),
    ['eth0'],
  );
});
