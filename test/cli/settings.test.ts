import { spawnSync } from 'node:child_process';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { test } from 'tap';
import { configPlaces, loadSettings, simulatedSettings } from '../../cli/settings.ts';

const PRINT_DATA_DIR = `
  import { loadSettings } from '${new URL('../../cli/settings.ts', import.meta.url)}';
  console.log(loadSettings({ environment: process.env, configFile: '/dev/null', flags: {} }).dataDir);
`;

const load = (environment: Record<string, string>, flags: Record<string, string> = {}) =>
  loadSettings({ environment: { XDG_CONFIG_HOME: '/nowhere', ...environment }, configFile: undefined, flags });

test('data lies under XDG_DATA_HOME, else under the home directory', async (t) => {
  t.equal(load({ HOME: '/home/a' }).dataDir, '/home/a/.local/share/ericht');
  t.equal(load({ HOME: '/home/a', XDG_DATA_HOME: '/data' }).dataDir, '/data/ericht');
  t.equal(load({ HOME: '/home/a', ERICHT_DATA_DIR: '/elsewhere' }).dataDir, '/elsewhere');
});

test('without a usable HOME the home folder of the user is taken, never one below where it was started', async (t) => {
  for (const environment of [{}, { HOME: '' }] as Record<string, string>[]) {
    const { status, stdout } = spawnSync(process.execPath, ['-e', PRINT_DATA_DIR], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, ...environment },
    });
    t.equal(status, 0);
    t.equal(stdout.trim(), join(userInfo().homedir, '.local/share/ericht'));
  }
});

test('simulated boards have a cluster and a folder of their own, whatever is configured', async (t) => {
  const { clusterId, dataDir } = simulatedSettings(
    load({ HOME: '/h', ERICHT_CLUSTER_ID: 'case-1', ERICHT_DATA_DIR: '/d' }),
  );
  t.equal(clusterId, 'simulated');
  t.equal(dataDir, '/d-simulated');
});

test("the file is looked for here, then in the user's and then in the system's folder", async (t) => {
  t.same(configPlaces({ HOME: '/h' }), ['ericht.yaml', '/h/.config/ericht/ericht.yaml', '/etc/ericht/ericht.yaml']);
  t.same(configPlaces({ HOME: '/h', XDG_CONFIG_HOME: '/c' })[1], '/c/ericht/ericht.yaml');
});

test('sizes and times become numbers in their base unit', async (t) => {
  const settings = load({ HOME: '/h' }, { interval: '250ms', 'retention.raw': '2d', 'spool.max-size': '10MiB' });
  t.equal(settings.intervalMs, 250);
  t.equal(settings.retention.rawMs, 2 * 86_400_000);
  t.equal(settings.spool.maxBytes, 10 * 1024 * 1024);
  t.equal(settings.sqliteMaxBytes, 2 * 1024 ** 3);
});

test('a node without a name has that of its host', async (t) => {
  const plain = hostname()
    .replace(/[^A-Za-z0-9._-]/g, '-')
    .slice(0, 63)
    .replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '');
  t.equal(load({ HOME: '/h' }).nodeId, plain);
});

const refused: [string, string, RegExp][] = [
  ['a name that no topic or table takes', 'clusterId: "my case"', /clusterId can't be "my case": expected letters/],
  ['an interval of no time', 'interval: 1ms', /interval can't be "1ms": the least is 100 ms/],
  [
    'a load of nothing',
    'rails: [{label: a, bus: 1, address: 0x40, shuntOhms: 0.01, maxAmperes: 0}]',
    /maxAmperes can't be 0: it must be above 0/,
  ],
  ['an interval of days', 'interval: 2d', /interval can't be "2d": the most is 60 min/],
  ['an interval without a unit', 'interval: 5', /interval can't be 5: expected a number with ms, s, m, h, d or w/],
  ['a database of no size', 'stores: {sqlite: {maxSize: 1KiB}}', /can't be "1KiB": the least is 16\.0 MiB/],
  [
    'one half of a login',
    'stores: {cassandra: {username: a}}',
    /username and stores\.cassandra\.passwordFile belong together/,
  ],
  [
    'a readable password without encryption',
    'kafka: {sasl: {mechanism: plain, username: a, passwordFile: /p}}',
    /sends the password readable/,
  ],
  [
    'a password in the file itself',
    'kafka: {sasl: {username: a, password: b}}',
    /unknown key kafka\.sasl\.password.*passwordFile/,
  ],
  ['a rail without its shunt', 'rails: [{label: a, bus: 1, address: 0x40}]', /rails\[0\]\.shuntOhms is missing/],
  [
    'two rails with one label',
    'rails: [{label: a, bus: 1, address: 0x40, shuntOhms: 1}, {label: a, bus: 1, address: 0x41, shuntOhms: 1}]',
    /label a is used by two rails/,
  ],
  ['Cassandra without an address', 'store: cassandra', /store: cassandra needs stores\.cassandra\.contactPoints/],
  ['an empty tls', 'kafka:\n  tls:\n', /kafka\.tls can't be null/],
];

for (const [what, yaml, sentence] of refused) {
  test(`${what} is refused`, async (t) => {
    const folder = t.testdir({ 'ericht.yaml': `${yaml}\n` });
    const configFile = join(folder, 'ericht.yaml');
    t.throws(() => loadSettings({ environment: { HOME: folder }, configFile, flags: {} }), {
      code: 'CONFIG_INVALID',
      message: sentence,
    });
  });
}
