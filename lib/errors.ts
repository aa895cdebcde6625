/**
 * Every error that a person may read: a stable code, what failed and where, why, and what to do next.
 * `exitCode` follows CLI grammar: 1 unexpected, 2 usage or configuration, 3 unreachable, 4 degraded, 5 timed out.
 * A retired code stays reserved: it is never given another meaning.
 */
export const ERROR_CODES = {
  USAGE: { exitCode: 2, retryable: false },
  CONFIG_INVALID: { exitCode: 2, retryable: false },
  CONFIG_UNREADABLE: { exitCode: 2, retryable: false },
  PORT_TAKEN: { exitCode: 2, retryable: false },
  STATE_DIR_TAKEN: { exitCode: 2, retryable: false },
  STATE_DIR_UNUSABLE: { exitCode: 2, retryable: false },
  RUNTIME_TOO_OLD: { exitCode: 2, retryable: false },
  TOOL_MISSING: { exitCode: 2, retryable: false },
  DOWNLOAD_FAILED: { exitCode: 3, retryable: true },
  SERVER_DIED: { exitCode: 1, retryable: false },
  KAFKA_UNREACHABLE: { exitCode: 3, retryable: true },
  KAFKA_UNAUTHORISED: { exitCode: 3, retryable: true },
  KAFKA_TOPIC_MISSING: { exitCode: 3, retryable: true },
  KAFKA_TOPIC_UNSUITABLE: { exitCode: 2, retryable: false },
  KAFKA_RECORD_REFUSED: { exitCode: 1, retryable: false },
  STORE_UNREACHABLE: { exitCode: 3, retryable: true },
  STORE_UNAUTHORISED: { exitCode: 3, retryable: true },
  STORE_OVERLOADED: { exitCode: 3, retryable: true },
  STORE_FULL: { exitCode: 4, retryable: true },
  STORE_ROW_REFUSED: { exitCode: 1, retryable: false },
  STORE_EMPTY: { exitCode: 3, retryable: false },
  SCHEMA_TOO_NEW: { exitCode: 2, retryable: false },
  SCHEMA_TOO_OLD: { exitCode: 3, retryable: true },
  SCHEMA_LOCKED: { exitCode: 3, retryable: true },
  DASHBOARD_UNREACHABLE: { exitCode: 3, retryable: true },
  DASHBOARD_NOT_FOUND: { exitCode: 2, retryable: false },
  DASHBOARD_HOST_REFUSED: { exitCode: 2, retryable: false },
  DASHBOARD_STREAMS_FULL: { exitCode: 3, retryable: true },
  SENSOR_UNREADABLE: { exitCode: 3, retryable: true },
  CALIBRATION_REFUSED: { exitCode: 2, retryable: false },
  REPORT_TOO_LARGE: { exitCode: 1, retryable: false },
  DEADLINE_EXCEEDED: { exitCode: 5, retryable: true },
  STOPPED: { exitCode: 1, retryable: false },
  UNEXPECTED: { exitCode: 1, retryable: false },
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface ErrorDetails {
  /** What failed, and where: "cannot reach Kafka at 10.0.0.5:9092". No full stop. */
  what: string;
  /** Why, as far as it is known: "connection refused". */
  why?: string;
  /** What the reader can do: "start it with npm run stack, or set kafka.brokers". */
  next?: string;
  cause?: unknown;
}

export class ErichtError extends Error {
  override readonly name = 'ErichtError';
  readonly code: ErrorCode;
  readonly what: string;
  readonly why: string | undefined;
  readonly next: string | undefined;

  constructor(code: ErrorCode, details: ErrorDetails) {
    super(sentence(details), details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.what = details.what;
    this.why = details.why;
    this.next = details.next;
  }

  get exitCode(): number {
    return ERROR_CODES[this.code].exitCode;
  }

  get retryable(): boolean {
    return ERROR_CODES[this.code].retryable;
  }
}

function sentence({ what, why, next }: ErrorDetails): string {
  return `${what}${why ? `: ${why}` : ''}${next ? `. ${next[0]?.toUpperCase()}${next.slice(1)}` : ''}`;
}

/** Whether trying again later can help; unknown errors count as final. */
export function isRetryable(error: unknown): boolean {
  return error instanceof ErichtError && error.retryable;
}

/** Wraps anything thrown into an ErichtError without ever throwing itself. */
export function toErichtError(error: unknown, what = 'something unexpected happened'): ErichtError {
  if (error instanceof ErichtError) return error;
  return new ErichtError('UNEXPECTED', { what, why: reasonOf(error), cause: error });
}

/** One line that says why, from whatever was thrown. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  if (error instanceof Error) return error.message || error.name;
  return String(error);
}
