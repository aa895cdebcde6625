import type { Batch, IHeaders, KafkaMessage } from 'kafkajs';
import type { FetchedRecord } from './types.ts';

/**
 * Copies the records out of kafkajs's batch and empties it. A message is a view into the whole response, up to 10 MiB:
 * kept as it is, one small record held for a slow store would hold all of it.
 */
export function takeRecords(batch: Batch): FetchedRecord[] {
  return batch.messages.map((message) => {
    const record = {
      topic: batch.topic,
      partition: batch.partition,
      offset: message.offset,
      key: message.key === null ? null : Buffer.from(message.key),
      value: message.value === null ? null : Buffer.from(message.value),
      headers: headersOf(message.headers),
      appendedAt: Number(message.timestamp),
    };
    Object.assign(message, { key: null, value: null, headers: undefined } satisfies Partial<KafkaMessage>);
    return record;
  });
}

function headersOf(headers: IHeaders | undefined): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers ?? {})) {
    const first = Array.isArray(value) ? value[0] : value;
    if (first !== undefined && first !== null) result[name] = first.toString();
  }
  return result;
}
