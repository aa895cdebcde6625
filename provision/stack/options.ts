import { isIPv4 } from 'node:net';
import { parseArgs } from 'node:util';
import { ErichtError, reasonOf } from '../../lib/errors.ts';
import type { StackPorts } from './stack.ts';

export const USAGE = `Starts Kafka and Cassandra on this machine, without Docker, until Ctrl-C.

  npm run stack -- [options]

  --dir DIR                     where the data is kept (default: run/stack)
  --kafka-listen ADDRESS        this machine's address for the agents of other boards (127.0.0.1); there is no password
  --kafka-port N                for clients (9092)
  --kafka-controller-port N     (9093)
  --cassandra-port N            for clients (9042)
  --cassandra-storage-port N    between Cassandra nodes (7000)
  --cassandra-jmx-port N        for nodetool; closed unless named
  --help
`;

export interface StackArguments {
  help: boolean;
  /** As given; undefined for the default. */
  directory: string | undefined;
  /** An IPv4 address; undefined for loopback. */
  kafkaListen: string | undefined;
  ports: StackPorts;
}

/** Throws USAGE for what is not known, and for a port that is none. */
export function parseStackArguments(args: string[]): StackArguments {
  const text = { type: 'string' } as const;
  let values: Record<string, string | boolean | undefined>;
  try {
    values = parseArgs({
      args,
      options: {
        help: { type: 'boolean' },
        dir: text,
        'kafka-listen': text,
        'kafka-port': text,
        'kafka-controller-port': text,
        'cassandra-port': text,
        'cassandra-storage-port': text,
        'cassandra-jmx-port': text,
      },
    }).values;
  } catch (error) {
    throw new ErichtError('USAGE', { what: reasonOf(error), next: 'see npm run stack -- --help' });
  }
  const port = (flag: string, otherwise: number) => {
    const given = values[flag];
    return given === undefined ? otherwise : portNumber(`--${flag}`, String(given));
  };
  const ports = {
    kafka: port('kafka-port', 9092),
    kafkaController: port('kafka-controller-port', 9093),
    cassandra: port('cassandra-port', 9042),
    cassandraStorage: port('cassandra-storage-port', 7000),
    cassandraJmx: values['cassandra-jmx-port'] === undefined ? undefined : port('cassandra-jmx-port', 0),
  };
  const twice = Object.values(ports).find((port, index, all) => port !== undefined && all.indexOf(port) < index);
  if (twice !== undefined) {
    throw new ErichtError('USAGE', {
      what: `two servers can't share port ${twice}`,
      next: 'give each a port of its own',
    });
  }
  return {
    help: values.help === true,
    directory: values.dir === undefined ? undefined : String(values.dir),
    kafkaListen: values['kafka-listen'] === undefined ? undefined : address(String(values['kafka-listen'])),
    ports,
  };
}

function portNumber(flag: string, given: string): number {
  const port = Number(given);
  if (/^\d+$/.test(given) && port >= 1 && port <= 65_535) return port;
  throw new ErichtError('USAGE', { what: `${flag} is not a port: "${given}"`, next: 'give a number from 1 to 65535' });
}

/** Clients are told this address to come back to, so that "everywhere" is none. */
function address(given: string): string {
  if (isIPv4(given) && given !== '0.0.0.0') return given;
  throw new ErichtError('USAGE', {
    what: `--kafka-listen is not an address of this machine: "${given}"`,
    next: 'give an IPv4 address as "hostname -I" shows it',
  });
}
