/*
 * CPU of idle Kafka connections: kafkajs as it comes, and with the timer cure. One producer and one consumer, 10 s each.
 *   node bench/kafka-idle.ts 127.0.0.1:9092
 */
import kafkajs from 'kafkajs';
import { cureTimer } from '../kafka/timer-cure.ts';
import { systemClock as clock, sleep } from '../lib/clock.ts';

const MEASURED_MS = 10_000;
const broker = process.argv[2] ?? '127.0.0.1:9092';
const topic = `bench-idle-${process.pid}`;
const kafka = new kafkajs.Kafka({ brokers: [broker], logLevel: kafkajs.logLevel.NOTHING });
const admin = kafka.admin();

async function cpuShare(): Promise<string> {
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  const consumer = kafka.consumer({ groupId: `${topic}-${clock.now()}`, maxWaitTimeInMs: 200 });
  await producer.connect();
  await producer.send({ topic, messages: [{ value: 'x' }] });
  await consumer.connect();
  await consumer.subscribe({ topic });
  await consumer.run({ eachBatch: async () => {} });
  await sleep(clock, 1000);
  const [cpu, from] = [process.cpuUsage(), clock.monotonicMs()];
  await sleep(clock, MEASURED_MS);
  const { user, system } = process.cpuUsage(cpu);
  const share = (user + system) / 10 / (clock.monotonicMs() - from);
  await consumer.disconnect();
  await producer.disconnect();
  return `${share.toFixed(2)} % of a core`;
}

await admin.connect();
await admin.createTopics({ topics: [{ topic, numPartitions: 6 }] });
process.stdout.write(`as it comes: ${await cpuShare()}\n`);
cureTimer();
process.stdout.write(`cured:       ${await cpuShare()}\n`);
await admin.deleteTopics({ topics: [topic] });
await admin.disconnect();
