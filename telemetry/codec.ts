import type { z } from 'zod';
import { type Facts, factsSchema } from './facts.ts';
import { MAX_REPORT_BYTES, type Report, reportSchema, SCHEMA_VERSION } from './report.ts';

/** Why a record can't become a row; the reason in the headers of its dead letter. */
export type DecodeProblem = 'malformed-json' | 'wrong-schema-version' | 'invalid-report' | 'too-large';

export type Decoded<T> =
  | { ok: true; value: T }
  /** `partial` holds what could be parsed, to name the node in the dead letter. */
  | { ok: false; problem: DecodeProblem; detail: string; partial?: unknown };

export function encode(value: Report | Facts): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/** Never throws: an exception out of a consumer's batch handler would end the consumer. */
export function decodeReport(bytes: Buffer): Decoded<Report> {
  if (bytes.length > MAX_REPORT_BYTES) {
    return { ok: false, problem: 'too-large', detail: `${bytes.length} bytes, at most ${MAX_REPORT_BYTES} are taken` };
  }
  return decodeWith(reportSchema, bytes);
}

export function decodeFacts(bytes: Buffer): Decoded<Facts> {
  return decodeWith(factsSchema, bytes);
}

function decodeWith<T>(schema: z.ZodType<T>, bytes: Buffer): Decoded<T> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    return { ok: false, problem: 'malformed-json', detail: (error as Error).message };
  }
  const version = (parsed as { schemaVersion?: unknown } | null)?.schemaVersion;
  if (typeof version === 'number' && version !== SCHEMA_VERSION) {
    const detail = `schemaVersion ${version}, this collector knows ${SCHEMA_VERSION}`;
    return { ok: false, problem: 'wrong-schema-version', detail, partial: parsed };
  }
  const result = schema.safeParse(parsed);
  if (result.success) return { ok: true, value: result.data };
  const issue = result.error.issues[0];
  const detail = issue ? `${issue.path.join('.') || 'record'}: ${issue.message}` : 'does not fit the schema';
  return { ok: false, problem: 'invalid-report', detail, partial: parsed };
}
