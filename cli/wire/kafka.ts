import type { AsideReader } from '../../collector/store/port.ts';
import type { KafkaSettings } from '../../kafka/types.ts';
import type { Clock } from '../../lib/clock.ts';
import { ErichtError } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import type { Settings } from '../settings.ts';
import { readSecret, readTls } from './files.ts';

/** How this process reaches Kafka; `role` names it in the broker's logs. Throws CONFIG_UNREADABLE. */
export function kafkaSettingsOf({ config, nodeId }: Settings, role: string): KafkaSettings {
  const { brokers, tls, sasl } = config.kafka;
  return {
    brokers,
    clientId: `ericht-${role}-${nodeId}`,
    tls: readTls(tls, 'kafka.tls'),
    sasl: sasl && {
      mechanism: sasl.mechanism,
      username: sasl.username,
      password: readSecret(sasl.passwordFile, 'kafka.sasl.passwordFile'),
    },
  };
}

/** Reads who and why of all dead letters and overflow records in the topics. */
export async function kafkaAsideReader(
  settings: Settings,
  surroundings: { clock: Clock; log: Log },
): Promise<AsideReader> {
  const { KafkaAsideReader } = await import('../../collector/aside/kafka-reader.ts');
  const { topicPrefix } = settings.config.kafka;
  return new KafkaAsideReader({ settings: kafkaSettingsOf(settings, 'audit'), topicPrefix, ...surroundings });
}

/** The services of a cluster meet in Kafka; the link joins only what runs in one process. */
export function requireKafka({ config }: Settings, verb: string): void {
  if (config.transport === 'kafka') return;
  throw new ErichtError('CONFIG_INVALID', {
    what: `ericht ${verb} works over Kafka, and transport is ${config.transport}`,
    next: 'set transport: kafka and kafka.brokers in ericht.yaml, or run "ericht start" for everything in one process',
  });
}
