/** A flag of a verb. Flags that set a key of ericht.yaml are not listed: `settings` names those. */
export interface FlagSpec {
  /** What stands in the help for its value; a flag without one is a switch. */
  value?: string;
  short?: string;
  help: string;
}

export type OutputFormat = 'table' | 'json' | 'ndjson' | 'csv';

export interface VerbSpec {
  name: string;
  group: 'run' | 'look' | 'board' | 'script';
  summary: string;
  usage: string[];
  /** What a reader should know before using it, in a few plain sentences. */
  about: string;
  flags: Record<string, FlagSpec>;
  /** Keys of ericht.yaml (or whole sections) that it obeys; each is a flag too: `dataDir` is --data-dir. */
  settings: string[];
  /** First is what a terminal gets. */
  outputs: OutputFormat[];
  /** A service stops in order at a signal and exits 0; a verb that looks ends with 130. */
  kind: 'service' | 'look';
  maxPositionals: number;
}

const CONFIG: Record<string, FlagSpec> = {
  config: { value: 'FILE', help: 'read this file instead of looking for ericht.yaml' },
};
const VERBOSE: Record<string, FlagSpec> = {
  verbose: { short: 'v', help: 'say more, and show where errors come from' },
};
const QUIET: Record<string, FlagSpec> = { quiet: { short: 'q', help: 'only warnings and errors on standard error' } };
const NO_COLOR: Record<string, FlagSpec> = {
  'no-color': { help: 'no colours; NO_COLOR in the environment does the same' },
};
const TABLE: Record<string, FlagSpec> = {
  fields: { value: 'A,B', help: 'only these columns, in this order' },
  'no-headers': { help: 'no line of headings' },
};
const TIMEOUT: Record<string, FlagSpec> = {
  timeout: { value: 'DURATION', help: 'give up after this long, with exit code 5 (default 10s)' },
};
const AGENT_SETTINGS = ['clusterId', 'nodeId', 'interval', 'rails', 'path', 'docker', 'runtimeDir'];
const STORE_SETTINGS = ['store', 'dataDir', 'stores', 'retention'];

export const VERBS: VerbSpec[] = [
  {
    name: 'start',
    group: 'run',
    summary: 'everything in one process, nothing to install: agent, collector and page',
    usage: ['ericht start [--simulate N] [--for DURATION] [--listen ADDRESS] [--port N]'],
    about:
      'Reads this machine, keeps the reports and serves a page that shows them live. Without an ericht.yaml the reports ' +
      'go into a database under the data directory and the page is at http://127.0.0.1:8080, or the next free port. ' +
      'Ctrl-C stops it after all reports are kept. With transport: kafka or store: cassandra in ericht.yaml the same ' +
      'three parts run over those.',
    flags: {
      simulate: { value: 'N', help: 'N simulated boards instead of this machine, in a data directory of their own' },
      for: { value: 'DURATION', help: 'stop after this long' },
      ...CONFIG,
      ...QUIET,
      ...VERBOSE,
    },
    settings: [...AGENT_SETTINGS, 'transport', 'kafka', 'spool', ...STORE_SETTINGS, 'listen', 'port', 'expectedNodes'],
    outputs: ['table', 'json'],
    kind: 'service',
    maxPositionals: 0,
  },
  {
    name: 'agent',
    group: 'run',
    summary: 'read this machine and send a report each interval to Kafka',
    usage: ['ericht agent', 'ericht agent --once [-o json]'],
    about:
      'Samples this machine and sends its reports to Kafka; while Kafka is away they wait on disk. With --once it takes ' +
      'two samplings 1 s apart, prints one report and sends nothing.',
    flags: { once: { help: 'print one report and end; sends nothing' }, ...CONFIG, ...VERBOSE },
    settings: [...AGENT_SETTINGS, 'transport', 'kafka', 'dataDir', 'spool', 'log'],
    outputs: ['table', 'json'],
    kind: 'service',
    maxPositionals: 0,
  },
  {
    name: 'collector',
    group: 'run',
    summary: 'take reports from Kafka and keep them in the store',
    usage: ['ericht collector'],
    about:
      'Makes the topics and the tables if they are not there, then stores each report exactly once. Several collectors ' +
      'share the work.',
    flags: { ...CONFIG, ...VERBOSE },
    settings: ['transport', 'kafka', ...STORE_SETTINGS, 'log'],
    outputs: [],
    kind: 'service',
    maxPositionals: 0,
  },
  {
    name: 'dashboard',
    group: 'run',
    summary: 'serve the page: live values from Kafka, history from the store',
    usage: ['ericht dashboard [--listen ADDRESS] [--port N]'],
    about: 'Serves the page at http://127.0.0.1:8080. It only reads, so several can run beside each other.',
    flags: { ...CONFIG, ...VERBOSE },
    settings: ['clusterId', 'transport', 'kafka', ...STORE_SETTINGS, 'listen', 'port', 'expectedNodes', 'log'],
    outputs: [],
    kind: 'service',
    maxPositionals: 0,
  },
  {
    name: 'status',
    group: 'look',
    summary: 'nodes and their states, power, and whether reports get through',
    usage: ['ericht status [--server URL] [-o json]'],
    about:
      'Asks the page named with --server, else the configured store and Kafka, else the data directory. ' +
      'The exit code is 4 when a node is silent or reports do not get through, 3 when nothing answers.',
    flags: {
      server: { value: 'URL', help: 'ask this page, such as http://127.0.0.1:8080' },
      ...CONFIG,
      ...TABLE,
      ...TIMEOUT,
      ...VERBOSE,
      ...NO_COLOR,
    },
    settings: ['clusterId', 'transport', 'kafka', ...STORE_SETTINGS, 'expectedNodes'],
    outputs: ['table', 'json'],
    kind: 'look',
    maxPositionals: 0,
  },
  {
    name: 'audit',
    group: 'look',
    summary: 'what was lost, stored twice, or never sent, per node and run',
    usage: ['ericht audit [--since TIME] [--until TIME] [-o json]'],
    about:
      'Compares what each agent says was acknowledged with what the store, the dead letters and the overflow hold. ' +
      'Only reports younger than the raw retention are judged. TIME is ISO 8601, or an age such as 2h. ' +
      'The exit code is 4 when anything is lost or stored twice.',
    flags: {
      since: { value: 'TIME', help: 'judge reports from here on' },
      until: { value: 'TIME', help: 'judge reports before this' },
      ...CONFIG,
      ...TABLE,
      timeout: { value: 'DURATION', help: 'give up after this long, with exit code 5 (default 10m)' },
      ...VERBOSE,
      ...NO_COLOR,
    },
    settings: ['clusterId', 'transport', 'kafka', ...STORE_SETTINGS],
    outputs: ['table', 'json', 'ndjson', 'csv'],
    kind: 'look',
    maxPositionals: 0,
  },
  {
    name: 'sensors',
    group: 'board',
    summary: 'find power chips on the I2C buses; work out the true value of a shunt',
    usage: ['ericht sensors scan [-o json]', 'ericht sensors calibrate RAIL --known-amperes A [-o json]'],
    about:
      'scan lists the I2C buses of this board, what answers at 0x40 to 0x4f, which kernel driver has claimed a chip, and ' +
      'the lines for ericht.yaml. It only reads, and at no other address, because some chips take any access for a ' +
      'command. The exit code is 3 when the chip of a configured rail can not be read, and 2 when its shunt is too ' +
      'large for this board. calibrate reads a configured rail for some seconds while a load of known current is on, ' +
      'and prints the line with the true value of its shunt. Stop the agent of this board meanwhile: two readers take ' +
      'readings from each other. The exit code is 2 when the current can not be what was said, 3 when the chip can ' +
      'not be read.',
    flags: {
      'known-amperes': { value: 'A', help: 'current through the shunt as a good meter shows it, such as 1.000' },
      ...CONFIG,
      ...VERBOSE,
    },
    settings: ['interval', 'rails', 'path'],
    outputs: ['table', 'json'],
    kind: 'look',
    maxPositionals: 2,
  },
  {
    name: 'config',
    group: 'script',
    summary: 'say what is wrong with the configuration, before a process is started with it',
    usage: ['ericht config check [--config FILE] [-o json]'],
    about:
      'Reads the configuration as every process does, and the files that it names; reaches for no server. ' +
      'The exit code is 2 when anything is wrong, and each error names its line.',
    flags: { ...CONFIG, ...VERBOSE },
    settings: ['path'],
    outputs: ['table', 'json'],
    kind: 'look',
    maxPositionals: 1,
  },
  {
    name: 'version',
    group: 'script',
    summary: 'the version of ericht and of Node',
    usage: ['ericht version [-o json]'],
    about: 'Prints the version of ericht and that of the Node that runs it.',
    flags: {},
    settings: [],
    outputs: ['table', 'json'],
    kind: 'look',
    maxPositionals: 0,
  },
  {
    name: 'help',
    group: 'script',
    summary: 'this text, or that of one verb',
    usage: ['ericht help [VERB]'],
    about: 'Lists all verbs, or explains one.',
    flags: {},
    settings: [],
    outputs: [],
    kind: 'look',
    maxPositionals: 1,
  },
];
