import t from 'tap';
import { systemClock } from '../../lib/clock.ts';
import { SystemdBoard } from '../helpers/board/systemd-board.ts';
import { ownDockerEngine, whyNoEngine } from '../helpers/docker-engine.ts';
import { bundleInto } from '../helpers/make-bundle.ts';
import { tempDir } from '../helpers/temp.ts';
import { until } from '../helpers/until.ts';

t.setTimeout(780_000);

const RAIL = 'label=main,measures=board,bus=1,address=0x40,shuntOhms=0.002';
const FLAGS = `--kafka 192.0.2.1:9092 --cluster-id case --node-id b1 --rail ${RAIL}`;
const MOST_EXPOSURE = 1.8;

const why =
  process.arch === 'x64' || process.arch === 'arm64' ? await whyNoEngine() : 'there is no bundle for this machine';
if (why) {
  t.plan(0, why);
  process.exit();
}

const engine = await ownDockerEngine(t);
const board = await SystemdBoard.start(engine, 'b1');
const archive = await bundleInto(await tempDir(t));
await board.copy(archive, '/var/tmp/bundle.tar.gz');
await board.run('mkdir /var/tmp/bundle && tar -C /var/tmp/bundle --strip-components=1 -xf /var/tmp/bundle.tar.gz');

const install = (flags: string, folder = 'bundle') => board.run(`/var/tmp/${folder}/install.sh ${flags} 2>&1`);
const refusal = (flags: string, folder?: string) =>
  install(flags, folder).then(
    (said) => `not refused: ${said}`,
    (error: Error) => error.message,
  );
const property = async (name: string) => (await board.run(`systemctl show -P ${name} ericht-agent.service`)).trim();
/** All that install.sh could change, with times and contents. */
const traces = () =>
  board.run(
    'for f in /etc/passwd /etc/group $(find /etc/ericht /opt/ericht /etc/systemd/system /etc/udev /etc/modules-load.d /usr/local ' +
      '-type f -not -path "*/bin/node" 2>/dev/null | sort); do stat -c "%n %Y %a %U %G" $f; md5sum < $f; done',
  );

/** The newest report that waits on disk, as JSON. */
async function newestSpooled() {
  const spool = await board.run('cat /var/lib/ericht/spool/* 2>/dev/null || :');
  const text = spool.slice(spool.lastIndexOf('{"schemaVersion"'));
  for (let end = text.indexOf('}'); end > 0; end = text.indexOf('}', end + 1)) {
    try {
      return JSON.parse(text.slice(0, end + 1)) as Record<string, unknown>;
    } catch {
      // The brace of an inner object.
    }
  }
  return undefined;
}

t.test('a dry run on a fresh board says what it would do, and does nothing', async (t) => {
  const before = await traces();
  const said = await install(`${FLAGS} --dry-run`);
  t.match(said, /^would make the user ericht$/m);
  t.match(said, /^would write \/etc\/ericht\/ericht.yaml$/m);
  t.match(said, /^would start ericht-agent.service, now and at every boot$/m);
  t.match(said, / changes would be made; none was\.\n$/);
  t.equal(await traces(), before);
});

t.test('what cannot work is refused before anything is changed, with the next step', async (t) => {
  const before = await traces();
  t.match(await refusal(''), /this board has no configuration yet.\nNext: give --kafka HOST:PORT/);
  t.match(await refusal('--kafak x:1'), /there is no flag --kafak/);
  t.match(await refusal('--cluster-id case'), /the brokers are missing.\nNext: give --kafka/);
  t.match(await refusal('--kafka 192.0.2.1'), /kafka.brokers.*host:port[\s\S]*nothing was changed/);
  t.match(
    await refusal('--kafka 192.0.2.1:9092 --rail label=main,measures=board,bus=1,address=0x40'),
    /shuntOhms[\s\S]*nothing was changed/,
  );
  t.match(await refusal('--kafka 192.0.2.1:9092 --username u'), /--username and --password-file belong together/);
  t.match(await refusal('--kafka x:1 --username u --password-file /nowhere'), /cannot read \/nowhere/);
  t.match(await refusal('--kafka "x:1\\"]"'), /may not hold quotes/);
  t.match(await refusal('--kafka x:1 --rail main'), /--rail takes KEY=VALUE,..., not "main"/);
  await board.run('touch /usr/local/bin/ericht');
  t.match(await refusal(FLAGS), /\/usr\/local\/bin\/ericht is something else.\nNext: move it away/);
  await board.run('rm /usr/local/bin/ericht');
  t.match(await refusal(`${FLAGS} --with-docker`), /there is no group docker.\nNext: install Docker first/);
  t.match(
    await board.run(`setpriv --reuid 65534 --clear-groups /var/tmp/bundle/install.sh ${FLAGS} 2>&1 || :`),
    /this needs root.\nNext: run it with sudo/,
  );
  await board.run('echo >> /var/tmp/bundle/lib/ericht.mjs');
  t.match(await refusal(FLAGS), /the bundle is damaged: SHA256SUMS does not fit/);
  await board.run('truncate -s -1 /var/tmp/bundle/lib/ericht.mjs');
  await board.run(`sed -i 's/"cpu":\\["x64"/"cpu":["arm64"/' /var/tmp/bundle/package.json`);
  t.match(
    await refusal(FLAGS),
    /this bundle is for arm64, this board is x64.\nNext: take the bundle that is named linux-x64/,
  );
  await board.run(`sed -i 's/"cpu":\\["arm64"/"cpu":["x64"/' /var/tmp/bundle/package.json`);
  t.equal(await traces(), before);
});

t.test('one command sets a fresh board up', async (t) => {
  await board.run('(umask 077; echo secret > /var/tmp/password)');
  const said = await install(`${FLAGS} --username b1 --password-file /var/tmp/password`);
  t.match(said, /^Done: ericht .* runs as ericht-agent.service.$/m);
  t.match(said, /there is no \/dev\/i2c-1: switch the bus on/);
  t.equal(await property('ActiveState'), 'active');
  t.equal(await property('NRestarts'), '0');
  const pid = await property('MainPID');
  t.equal((await board.run(`ps -o user= -p ${pid}`)).trim(), 'ericht');
  t.match(await board.run('id ericht'), /\(video\).*\(i2c\)/);
  t.notMatch(await board.run('id ericht'), /docker/);
  t.equal(
    (await board.run('stat -c "%a %U %G" /etc/ericht/kafka-password /etc/ericht/ericht.yaml')).trim(),
    '640 root ericht\n640 root ericht',
  );
  t.notMatch(
    await board.run(
      `cat /etc/ericht/ericht.yaml; tr '\\0' ' ' < /proc/${pid}/cmdline; tr '\\0' ' ' < /proc/${pid}/environ`,
    ),
    /secret/,
  );
  t.match(await board.run('cat /etc/modules-load.d/ericht.conf'), 'i2c-dev');
  t.equal((await board.run('systemctl is-enabled ericht-agent.service')).trim(), 'enabled');
});

t.test('the agent in its sandbox reads what it reads outside of it', async (t) => {
  const inside = await until('a report waits on disk', newestSpooled, { everyMs: 500 });
  const outside = JSON.parse(await board.run('ericht agent --once -o json --config /etc/ericht/ericht.yaml'));
  const names = ({ rails = [], storage = {}, spool = {}, ...rest }) => ({
    sections: Object.keys(rest)
      .filter((key) => typeof rest[key as never] === 'object')
      .toSorted(),
    mounts: (storage as never as { mounts?: { path: string }[] }).mounts?.map(({ path }) => path),
  });
  t.same(names(inside), names(outside));
});

t.test('the second run changes nothing, and restarts nothing', async (t) => {
  const [before, pid] = [await traces(), await property('MainPID')];
  t.match(await install(`${FLAGS} --username b1 --password-file /var/tmp/password`), /(?:^|\n)Nothing to change.\n$/);
  t.match(await install(''), /(?:^|\n)Nothing to change.\n$/);
  t.equal(await traces(), before);
  t.equal(await property('MainPID'), pid);
});

t.test('a bad flag leaves a running agent as it is', async (t) => {
  const [before, pid] = [await traces(), await property('MainPID')];
  t.match(await refusal('--kafka nonsense'), /nothing was changed/);
  t.equal(await traces(), before);
  t.equal(await property('MainPID'), pid);
});

t.test('the agent may use Docker only where that is asked for', async (t) => {
  await board.run('groupadd --system docker');
  await install('');
  t.notMatch(await board.run('id ericht'), /docker/);
  await install('--with-docker');
  t.match(await board.run('id ericht'), /docker/);
  const groups = await board.run(`cat /proc/${await property('MainPID')}/status`);
  const [, id] = /^docker:[^:]*:(\d+)/m.exec(await board.run('getent group docker')) ?? [];
  t.match(groups, new RegExp(`^Groups:.*\\b${id}\\b`, 'm'), 'by a restart');
});

t.test('other flags are taken over by a restart; what was edited by hand is kept', async (t) => {
  const pid = await property('MainPID');
  await install('--kafka 192.0.2.2:9092,192.0.2.3:9092 --node-id b2');
  t.match(await board.run('cat /etc/ericht/ericht.yaml'), 'brokers: ["192.0.2.2:9092", "192.0.2.3:9092"]');
  t.not(await property('MainPID'), pid);
  await board.run('echo "interval: 2s" >> /etc/ericht/ericht.yaml');
  const said = await install(FLAGS);
  t.match(said, /ericht.yaml was edited by hand and is kept; the flags are not applied/);
  t.match(await board.run('cat /etc/ericht/ericht.yaml'), /nodeId: "b2"[\s\S]*interval: 2s/);
});

t.test('the unit is sound, and its sandbox tight', async (t) => {
  t.equal(await board.run('systemd-analyze verify ericht-agent.service 2>&1'), '');
  const [, exposure] =
    /exposure level for ericht-agent.service: ([\d.]+)/.exec(
      await board.run('systemd-analyze security --no-pager ericht-agent.service'),
    ) ?? [];
  t.comment(`exposure ${exposure}`);
  t.ok(Number(exposure) <= MOST_EXPOSURE, `exposure level ${exposure}`);
});

t.test('an agent that is stuck is restarted by the watchdog, one that works is not', async (t) => {
  await board.run(
    'mkdir -p /etc/systemd/system/ericht-agent.service.d && printf "[Service]\\nWatchdogSec=6\\n" > /etc/systemd/system/ericht-agent.service.d/test.conf',
  );
  await board.run('systemctl daemon-reload && systemctl restart ericht-agent.service');
  const pid = await property('MainPID');
  const startedAt = systemClock.monotonicMs();
  await until('it was fed for longer than the limit', () => systemClock.monotonicMs() - startedAt > 9000, {
    everyMs: 250,
  });
  t.equal(await property('MainPID'), pid, 'it is fed');
  await board.run(`kill -STOP ${pid}`);
  await until(
    'another process runs',
    async () => !['0', pid].includes(await property('MainPID')) && (await property('ActiveState')) === 'active',
    { limitMs: 40_000, everyMs: 250 },
  );
  t.match(await board.run('journalctl -q -o cat -u ericht-agent.service'), /Watchdog timeout \(limit 6s\)/);
  await board.run('rm /etc/systemd/system/ericht-agent.service.d/test.conf && systemctl daemon-reload');
});

t.test('a newer bundle upgrades in place; one that does not start is taken back', async (t) => {
  await board.run(
    'cp -r /var/tmp/bundle /var/tmp/newer && cd /var/tmp/newer && sed -i \'s/"version":"[^"]*"/"version":"9.0.0"/\' package.json && find . -type f -not -name SHA256SUMS | sed "s#^./##" | sort | xargs sha256sum > SHA256SUMS',
  );
  t.match(await install('', 'newer'), /Done: ericht 9\.0\.0/);
  const pid = await property('MainPID');
  t.match(await board.run('cat /etc/ericht/ericht.yaml'), /nodeId: "b2"[\s\S]*interval: 2s/);
  await board.run(
    'cp -r /var/tmp/newer /var/tmp/broken && cd /var/tmp/broken && printf "#!/bin/sh\\n[ \\$1 != agent ] || exit 7\\n" > bin/ericht && find . -type f -not -name SHA256SUMS | sed "s#^./##" | sort | xargs sha256sum > SHA256SUMS',
  );
  const said = await refusal('', 'broken');
  t.match(said, /the agent does not start like this: everything is as before, and that agent runs again/);
  t.match(await board.run('ericht version'), /^ericht 9\.0\.0/);
  t.equal(await property('ActiveState'), 'active');
  t.not(await property('MainPID'), pid);
});

t.test('a run that was killed in the middle is finished by the next one', async (t) => {
  await board.run(
    "cp -r /var/tmp/newer /var/tmp/killed && cd /var/tmp/killed && sed -i 's/^begin() {/begin() { [ ! -e \\/var\\/tmp\\/kill ] || kill -9 $$/' install.sh && find . -type f -not -name SHA256SUMS | sed 's#^./##' | sort | xargs sha256sum > SHA256SUMS",
  );
  await board.run('rm /etc/ericht/ericht.yaml && touch /var/tmp/kill');
  const pid = await property('MainPID');
  t.match(await refusal('--kafka 192.0.2.4:9092', 'killed'), /write \/etc\/ericht\/ericht.yaml/);
  t.equal(await property('MainPID'), pid, 'killed before the agent was restarted');
  await board.run('rm /var/tmp/kill');
  t.match(await install('--kafka 192.0.2.5:9092', 'killed'), /^Done: /m);
  t.match(await board.run('cat /etc/ericht/ericht.yaml'), '192.0.2.5', "what it wrote is nobody else's edit");
  await board.run('touch /var/tmp/kill');
  const second = await property('MainPID');
  await refusal('--kafka 192.0.2.6:9092', 'killed');
  await board.run('rm /var/tmp/kill');
  t.match(await install('--kafka 192.0.2.6:9092', 'killed'), /start ericht-agent.service/);
  t.not(await property('MainPID'), second, 'the agent runs with what was written');
  t.equal(await install('', 'killed'), 'Nothing to change.\n');
});

t.test('a program that was damaged on the SD card is copied again', async (t) => {
  await board.run(': > /opt/ericht/current/lib/i2c.node');
  t.match(await install('', 'killed'), /copy the program to/);
  t.ok(Number(await board.run('stat -c %s /opt/ericht/current/lib/i2c.node')) > 0);
});

t.test('two runs at once, and a run that cannot write, end with the next step', async (t) => {
  const [before, pid] = [await traces(), await property('MainPID')];
  t.match(
    await board.run('flock /run/ericht-install /var/tmp/killed/install.sh 2>&1 || :'),
    /another install.sh is at work on this board.\nNext: wait until it has ended/,
  );
  await board.run('mount --bind /etc /etc && mount -o remount,ro,bind /etc');
  const said = await refusal('--kafka 192.0.2.7:9092', 'killed').finally(() => board.run('umount /etc'));
  t.match(
    said,
    /Read-only file system\ninstall.sh: stopped before anything was changed.\nNext: put right what stands above/,
  );
  t.equal(await traces(), before);
  t.equal(await property('MainPID'), pid);
});

t.test('a stop says goodbye within 5 s', async (t) => {
  const took = await board.run('date +%s%N; systemctl stop ericht-agent.service; date +%s%N');
  const [from = 0, to = 0] = took
    .trim()
    .split('\n')
    .map((line) => Number(line) / 1e6);
  t.ok(to - from < 5000, `${to - from} ms`);
  t.equal(await property('Result'), 'success');
  t.match(await board.run('cat /var/lib/ericht/spool/*'), '"goodbye":true');
});

t.test('uninstalling keeps the data, purging does not, and a second time there is nothing to do', async (t) => {
  t.match(await install('--uninstall --dry-run'), /would remove \/opt\/ericht/);
  t.match(await install('--uninstall'), /kept: \/etc\/ericht, \/var\/lib\/ericht and the user ericht/);
  t.equal(
    (
      await board.run('ls -d /opt/ericht /etc/systemd/system/ericht-agent* /usr/local/bin/ericht 2>/dev/null || :')
    ).trim(),
    '',
  );
  t.match(await board.run('ls /etc/ericht /var/lib/ericht/spool'), 'ericht.yaml');
  t.match(await install('--uninstall --purge'), /Removed/);
  t.equal((await board.run('ls -d /etc/ericht /var/lib/ericht 2>/dev/null; getent passwd ericht || :')).trim(), '');
  t.match(await install('--uninstall --purge'), 'Nothing to change.\n');
});

t.test('flags, folders and boards as people have them', async (t) => {
  await board.run(
    'mv /var/tmp/bundle "/var/tmp/my bundle" && cd "/var/tmp/my bundle" && (umask 077; echo secret > password) && groupadd --system ericht',
  );
  const rail = 'label=on, measures=board, bus=1, address=0x40, shuntOhms=0.002';
  const said = await board.run(
    `cd "/var/tmp/my bundle" && PATH=/usr/bin:/bin ./install.sh --kafka "192.0.2.1:9092, 192.0.2.2:9092" --rail "${rail}" ` +
      '--username b1 --password-file password 2>&1',
  );
  t.match(
    said,
    /^Done: /m,
    'with a folder of two words, a relative file, lists with spaces, a group that is there, and the PATH of su',
  );
  t.equal(await board.run('ls /opt/ericht/current/password 2>/dev/null || :'), '', 'a secret beside it is not copied');
  const yaml =
    'transport: kafka\nkafka: { brokers: ["x:1"] }\nrails: [{ label: m, bus: 7, address: 0x40, shuntOhms: 0.002 }]\n';
  await board.run(`printf '%s' '${yaml}' > /var/tmp/flow.yaml`);
  t.match(
    await install('--config /var/tmp/flow.yaml --dry-run', 'my\\ bundle'),
    /there is no \/dev\/i2c-7: switch the bus on/,
    'a bus in any form of YAML',
  );
  await board.run(
    'mkdir /opt/mine && cp -r "/var/tmp/my bundle/." /opt/ericht && mount -t tmpfs -o noexec none /opt/mine',
  );
  await board.run('cp -r "/var/tmp/my bundle/." /opt/mine');
  const elsewhere = (command: string) => board.run(`${command} 2>&1 || :`);
  t.match(
    await elsewhere('/opt/ericht/install.sh --dry-run'),
    /unpacked where the program goes, in \/opt\/ericht.\nNext: unpack/,
  );
  t.match(await elsewhere('sh /opt/mine/install.sh --dry-run'), /nothing may be run from \/opt\/mine.\nNext: unpack/);
});
