/**
 * The real collector (Kafka to Cassandra) in a process of its own, to be killed, stopped and led astray by fault tests.
 *
 *   node test/helpers/collector-process.ts --kafka JSON --cassandra JSON --prefix P --keyspace K
 *        [--group G] [--session-timeout-ms N] [--pause-after-write-ms N] [--job CRON]
 *
 * --kafka and --cassandra are what kafkaForTest and cassandraForTest return. Prints one JSON object per line:
 *   {"event":"started"}
 *   {"event":"written","rows":N}   N rows are durable, and nothing of them is committed yet
 *   {"event":"job"}                the job ran; --job says when it is due, by default each minute
 *   {"event":"status","counts":{},"problem":CODE,"rebuilds":N,"lag":N}   every 200 ms
 *   {"event":"stopped"}            after SIGTERM
 * The log goes to stderr. With --pause-after-write-ms the time between "written" and the commit is at least that long,
 * so that whoever reads the line can kill the process there.
 */
import { parseArgs } from 'node:util';
import { KafkaAside } from '../../collector/aside/kafka.ts';
import { Collector } from '../../collector/collector.ts';
import { KafkaSource } from '../../collector/consume/kafka.ts';
import type { PlacedReport } from '../../collector/record.ts';
import { CassandraStore } from '../../collector/store/cassandra/store.ts';
import type { RowOutcome } from '../../collector/store/port.ts';
import { OnePartitionProducer } from '../../kafka/producer.ts';
import { systemClock as clock, sleep } from '../../lib/clock.ts';
import { jsonLog } from '../../lib/log.ts';

const { values } = parseArgs({
  options: {
    kafka: { type: 'string' },
    cassandra: { type: 'string' },
    prefix: { type: 'string' },
    keyspace: { type: 'string' },
    group: { type: 'string', default: 'collector' },
    'session-timeout-ms': { type: 'string', default: '6000' },
    'pause-after-write-ms': { type: 'string', default: '0' },
    job: { type: 'string', default: '* * * * *' },
  },
});
const { prefix, keyspace, group } = values;
if (!values.kafka || !values.cassandra || !prefix || !keyspace) {
  throw new Error('--kafka, --cassandra, --prefix and --keyspace are needed');
}
const pauseMs = Number(values['pause-after-write-ms']);
const retention = { rawMs: 7 * 86_400_000 };
const log = jsonLog('info', process.stderr);

class TellingStore extends CassandraStore {
  override async writeReports(rows: PlacedReport[]): Promise<RowOutcome[]> {
    const outcomes = await super.writeReports(rows);
    if (rows.length > 0) {
      tell({ event: 'written', rows: rows.length });
      if (pauseMs > 0) await sleep(clock, pauseMs);
    }
    return outcomes;
  }
}

const settings = { brokers: JSON.parse(values.kafka).brokers as string[], clientId: 'collector-under-test' };
const address = JSON.parse(values.cassandra);
const producer = new OnePartitionProducer({ settings, clock, log });
const collector = new Collector({
  source: new KafkaSource({
    settings,
    groupId: `${prefix}${group}`,
    topicPrefix: prefix,
    clock,
    log,
    sessionTimeoutMs: Number(values['session-timeout-ms']),
  }),
  store: new TellingStore({ ...address, keyspace, replication: 1, retention, migrate: true, clock, log }),
  aside: new KafkaAside({ producer, topicPrefix: prefix }),
  retention,
  jobs: [{ name: 'the job', schedule: values.job, run: async () => tell({ event: 'job' }) }],
  clock,
  log,
});

let isStopping = false;

async function stop(): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  await collector.stop();
  await producer.stop();
  tellStatus();
  tell({ event: 'stopped' });
  process.exit(0);
}

function tell(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function tellStatus(): void {
  const { problem, source } = collector.status();
  const { rebuilds, lag } = source;
  tell({ event: 'status', counts: collector.counts(), problem: problem?.code, rebuilds, lag });
}

process.on('SIGTERM', stop);
await producer.start();
await collector.start();
tell({ event: 'started' });
while (!isStopping) {
  await sleep(clock, 200);
  tellStatus();
}
