import { homedir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { systemClock } from '../../lib/clock.ts';
import { ErichtError, reasonOf, toErichtError } from '../../lib/errors.ts';
import { plainLog } from '../../lib/log.ts';
import { cacheDirectory } from '../stack/fetch.ts';
import { architecturesOf } from './architecture.ts';
import { makeBundle } from './bundle.ts';

const USAGE = `Usage: npm run bundle [-- --arch x64|arm64|all] [--out DIR]

Makes ericht-VERSION-linux-ARCH.tar.gz and its .sha256: the agent, the pinned Node, the addon for I2C, and install.sh.

  --arch ARCH   the processor of the boards (default: this machine's); a Raspberry Pi or Orange Pi is arm64
  --out DIR     where the files go (default ./run/bundle)
  -h, --help    this text
`;

const PROJECT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

const log = plainLog('info', process.stderr);

function readArguments() {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({ options: { arch: text, out: text, help: { type: 'boolean', short: 'h' } } }).values;
  } catch (error) {
    throw new ErichtError('USAGE', { what: 'cannot make a bundle', why: reasonOf(error), next: 'see --help' });
  }
}

try {
  const { arch, out = `${PROJECT}/run/bundle`, help } = readArguments();
  if (help) process.stdout.write(USAGE);
  else {
    for (const architecture of architecturesOf(arch)) {
      const file = await makeBundle(architecture, {
        projectDirectory: PROJECT,
        outDirectory: out,
        cacheDirectory: cacheDirectory(process.env, homedir()),
        clock: systemClock,
        log,
      });
      process.stdout.write(`${file}\n`);
    }
  }
} catch (error) {
  const known = toErichtError(error);
  log.error({}, known.message);
  process.exitCode = known.exitCode;
}
