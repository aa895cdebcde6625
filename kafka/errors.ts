import { ErichtError, type ErrorCode, reasonOf } from '../lib/errors.ts';

/** Kafka's names of the errors that mean something else than "try again". Source: Kafka protocol guide, error codes. */
const CODE_OF_TYPE: Record<string, ErrorCode> = {
  TOPIC_AUTHORIZATION_FAILED: 'KAFKA_UNAUTHORISED',
  GROUP_AUTHORIZATION_FAILED: 'KAFKA_UNAUTHORISED',
  CLUSTER_AUTHORIZATION_FAILED: 'KAFKA_UNAUTHORISED',
  SASL_AUTHENTICATION_FAILED: 'KAFKA_UNAUTHORISED',
  UNSUPPORTED_SASL_MECHANISM: 'KAFKA_UNAUTHORISED',
  ILLEGAL_SASL_STATE: 'KAFKA_UNAUTHORISED',
  SECURITY_DISABLED: 'KAFKA_UNAUTHORISED',
  UNKNOWN_TOPIC_OR_PARTITION: 'KAFKA_TOPIC_MISSING',
  INVALID_TOPIC_EXCEPTION: 'KAFKA_TOPIC_MISSING',
  // The topic is set to trust the sender's clock. That is the topic's fault and not the record's, so it is waited for.
  INVALID_TIMESTAMP: 'KAFKA_TOPIC_MISSING',
  MESSAGE_TOO_LARGE: 'KAFKA_RECORD_REFUSED',
  RECORD_LIST_TOO_LARGE: 'KAFKA_RECORD_REFUSED',
  INVALID_RECORD: 'KAFKA_RECORD_REFUSED',
  INVALID_PARTITIONS: 'KAFKA_TOPIC_UNSUITABLE',
  INVALID_CONFIG: 'KAFKA_TOPIC_UNSUITABLE',
  POLICY_VIOLATION: 'KAFKA_TOPIC_UNSUITABLE',
};

const NEXT: Partial<Record<ErrorCode, string>> = {
  KAFKA_UNREACHABLE: 'check that Kafka runs, kafka.brokers, and whether it wants TLS or a password',
  KAFKA_UNAUTHORISED: 'check kafka.sasl and the rights of this user',
  KAFKA_TOPIC_MISSING: 'start the collector, which makes the topics',
};
const NEXT_OF_NO_LOGINS =
  'this port of the broker takes no logins: name another in kafka.brokers, or remove kafka.sasl';

/** Where Kafka's own answer says more than our code does. */
const NEXT_OF_TYPE: Record<string, string> = {
  ILLEGAL_SASL_STATE: NEXT_OF_NO_LOGINS,
  SECURITY_DISABLED: NEXT_OF_NO_LOGINS,
  INCONSISTENT_GROUP_PROTOCOL: 'another program uses this group: stop it, or set another kafka.topicPrefix',
};
const NEXT_OF_CERTIFICATE =
  "set kafka.tls.caFile to the authority behind the broker's certificate, and check this clock";

/** Node's and OpenSSL's codes of a certificate that was not believed. */
const CERTIFICATE_CODE = /CERT|VERIFY|ALTNAME|ISSUER/;

/** The group has moved on: what was assigned before is no longer this consumer's. */
const FENCED = new Set(['ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID', 'REBALANCE_IN_PROGRESS', 'FENCED_INSTANCE_ID']);

interface KafkaJsError extends Error {
  type?: string;
  code?: string | number;
  errors?: unknown[];
}

/** A record that Kafka will never take. The `accepted` records before it in the same send are acknowledged. */
export class RecordRefusedError extends ErichtError {
  readonly accepted: number;

  constructor(details: { what: string; why?: string; cause?: unknown; accepted: number }) {
    super('KAFKA_RECORD_REFUSED', details);
    this.accepted = details.accepted;
  }
}

/**
 * Says in one ErichtError what kafkajs wraps up to three times. What is not known counts as KAFKA_UNREACHABLE, which is
 * retried: kafkajs throws TypeErrors of its own while brokers come and go, and giving up would lose records.
 */
export function classifyKafkaError(error: unknown, what: string): ErichtError {
  if (error instanceof ErichtError) return error;
  const root = rootCause(error);
  const code = codeOf(root);
  const why = root.type ? `${root.type} (${root.message})` : reasonOf(root);
  const isCertificate = code === 'KAFKA_UNREACHABLE' && CERTIFICATE_CODE.test(String(root.code));
  const next = isCertificate ? NEXT_OF_CERTIFICATE : (NEXT_OF_TYPE[root.type ?? ''] ?? NEXT[code]);
  return new ErichtError(code, { what, why, ...(next ? { next } : {}), cause: error });
}

export function isFenced(error: unknown): boolean {
  return FENCED.has(rootCause(error).type ?? '');
}

export function kafkaErrorType(error: unknown): string | undefined {
  return rootCause(error).type;
}

function codeOf(root: KafkaJsError): ErrorCode {
  if (root.name === 'KafkaJSSASLAuthenticationError') return 'KAFKA_UNAUTHORISED';
  return CODE_OF_TYPE[root.type ?? ''] ?? 'KAFKA_UNREACHABLE';
}

function rootCause(error: unknown): KafkaJsError {
  let current = error instanceof Error ? (error as KafkaJsError) : (new Error(String(error)) as KafkaJsError);
  for (let depth = 0; depth < 8; depth += 1) {
    const inner = current.errors?.[0] ?? current.cause;
    if (current.type || !(inner instanceof Error)) return current;
    current = inner as KafkaJsError;
  }
  return current;
}
