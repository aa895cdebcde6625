import { homedir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../lib/clock.ts';
import { toErichtError } from '../../lib/errors.ts';
import { plainLog } from '../../lib/log.ts';
import { cacheDirectory } from './fetch.ts';
import { parseStackArguments, USAGE } from './options.ts';
import { Stack } from './stack.ts';

const DEFAULT_DIRECTORY = fileURLToPath(new URL('../../run/stack', import.meta.url));

const log = plainLog('info', process.stderr);

let signalled = false;

async function main(): Promise<void> {
  const { help, directory = DEFAULT_DIRECTORY, kafkaListen, ports } = parseStackArguments(process.argv.slice(2));
  if (help) {
    process.stdout.write(USAGE);
    return;
  }
  const cacheDir = cacheDirectory(process.env, homedir());
  const stack = new Stack({ directory, cacheDir, kafkaListen, ports, clock: systemClock, log });
  const stopped = stopOnSignals(stack);
  log.info({}, `Data in ${stack.directory}`);
  if (kafkaListen !== undefined) {
    log.warn({}, `Kafka takes records from anyone who reaches ${kafkaListen}: there is no password`);
  }
  try {
    await Promise.race([stack.start(), stopped]);
    if (!signalled) {
      process.stdout.write(announcement(stack));
      await stack.watch();
    }
  } catch (error) {
    // A server that was told to stop while it started is no failure.
    if (signalled) return stopped;
    // One without the other is no stack: the one that is left keeps its data and goes, too.
    await stack.stop();
    throw error;
  }
  await stopped;
}

/** The first signal stops both servers cleanly, the second kills them. */
function stopOnSignals(stack: Stack): Promise<void> {
  return new Promise((resolve, reject) => {
    const onSignal = () => {
      if (signalled) {
        log.warn({}, 'killing them');
        stack.kill().then(resolve, reject);
        return;
      }
      signalled = true;
      log.info({}, 'Stopping Kafka and Cassandra (again to kill them)');
      stack.stop().then(resolve, reject);
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
  });
}

function announcement({ kafka, cassandra }: Stack): string {
  return `Kafka      ${kafka.brokers.join(', ')}
Cassandra  ${cassandra.contactPoints.join(', ')} port ${cassandra.port}

Put these lines into ericht.yaml:
transport: kafka
store: cassandra
kafka: { brokers: [${kafka.brokers.map((broker) => `"${broker}"`).join(', ')}] }
stores: { cassandra: { contactPoints: [${cassandra.contactPoints.join(', ')}], port: ${cassandra.port} } }

Ctrl-C stops both.
`;
}

main().then(
  () => process.exit(0),
  (error) => {
    const known = toErichtError(error);
    log.error({ code: known.code }, known.message);
    process.exit(known.exitCode);
  },
);
