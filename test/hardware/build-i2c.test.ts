import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { buildI2c } from '../../hardware/build-i2c.ts';
import { isAddonBuilt } from '../../hardware/i2c/linux.ts';
import { type Log, silentLog } from '../../lib/log.ts';
import { tempDir } from '../helpers/temp.ts';

const PROJECT = join(import.meta.dirname, '../..');
const NODE_PACKAGE = join(PROJECT, 'node_modules', `node-linux-${process.arch}`);
const canBuild = process.platform === 'linux' && !spawnSync('g++', ['--version']).error;

t.test('the addon is compiled for the Node that runs here, and loads in it', { skip: !canBuild }, async (t) => {
  const projectDirectory = await tempDir(t);
  for (const name of ['i2c-bus', 'nan', 'bindings', 'file-uri-to-path']) {
    cpSync(join(PROJECT, 'node_modules', name), join(projectDirectory, 'node_modules', name), {
      recursive: true,
      filter: (source) => !source.endsWith('/build'),
    });
  }
  writeFileSync(join(projectDirectory, 'package.json'), '{"private":true,"dependencies":{"i2c-bus":"*"}}');
  // The trap: npm's own setting points at some other Node's headers.
  writeFileSync(join(projectDirectory, '.npmrc'), 'ignore-scripts=true\nnodedir=/nonexistent\n');
  const said: string[] = [];
  const log: Log = { ...silentLog, info: (_fields, message) => said.push(message) };
  buildI2c({ projectDirectory, nodePackage: NODE_PACKAGE, log });
  t.match(said.at(-1), `i2c-bus is built and loads in Node ${process.version}.`);

  // The very file, loaded by a process of its own: a missing bus is then the kernel's answer, and no longer ours.
  const script = `require('i2c-bus').openPromisified(250).then((bus) => bus.readWord(0x40, 0)).catch((e) => console.log(e.errno))`;
  const { stdout } = spawnSync(process.execPath, ['-e', script], { cwd: projectDirectory, encoding: 'utf8' });
  t.equal(stdout.trim(), '-2');
});

t.test(
  'what is missing is said in one sentence, with the next step',
  { skip: process.platform !== 'linux' },
  async (t) => {
    const projectDirectory = await tempDir(t);
    const build = (nodePackage: string) => () => buildI2c({ projectDirectory, nodePackage, log: silentLog });
    t.throws(build(NODE_PACKAGE), {
      message: 'cannot build i2c-bus: it is not installed. Run npm ci without --omit=optional',
    });
    mkdirSync(join(projectDirectory, 'node_modules/i2c-bus'), { recursive: true });
    writeFileSync(join(projectDirectory, 'node_modules/i2c-bus/package.json'), '{}');
    t.throws(build(join(projectDirectory, 'no-node')), { message: /there are no headers in .*no-node. Run npm ci/ });
  },
);

t.test('whether the addon is there can be asked without harm', async (t) => {
  t.type(await isAddonBuilt(), 'boolean');
});
