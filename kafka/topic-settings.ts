import { ErichtError } from '../lib/errors.ts';

const TIMESTAMP_TYPE = 'message.timestamp.type';

/** Settings whose difference is told: others, such as how long records are kept, are the operator's to choose. */
const TOLD = ['cleanup.policy', 'max.message.bytes'];

/** Names of the settings of a topic that matter to it, out of those it would be made with. */
export function settingsToAsk(wanted: Record<string, string>): string[] {
  return [TIMESTAMP_TYPE, ...TOLD].filter((name) => name in wanted);
}

/** Throws KAFKA_TOPIC_UNSUITABLE where records would be lost; returns a sentence for each lesser difference. */
export function judgeSettings(topic: string, wanted: Record<string, string>, found: Map<string, string>): string[] {
  const timestampType = wanted[TIMESTAMP_TYPE];
  if (timestampType !== undefined && found.get(TIMESTAMP_TYPE) !== timestampType) {
    throw new ErichtError('KAFKA_TOPIC_UNSUITABLE', {
      what: `the topic ${topic} has ${TIMESTAMP_TYPE}=${found.get(TIMESTAMP_TYPE)}, it needs ${timestampType}`,
      why: "with it a sender's wrong clock makes Kafka refuse good records, or delete them early",
      next: `set it with ${alter(topic, TIMESTAMP_TYPE, timestampType)}`,
    });
  }
  const sentences: string[] = [];
  for (const name of TOLD) {
    const want = wanted[name];
    const have = found.get(name);
    if (want === undefined || have === undefined || have === want) continue;
    if (name === 'max.message.bytes' && Number(have) > Number(want)) continue;
    sentences.push(
      `the topic ${topic} has ${name}=${have}, it is made with ${want}; ${alter(topic, name, want)} sets it`,
    );
  }
  return sentences;
}

function alter(topic: string, name: string, value: string): string {
  return `kafka-configs.sh --alter --entity-type topics --entity-name ${topic} --add-config ${name}=${value}`;
}
