import type { OutputFormat } from '../verbs.ts';
import { pickNamed } from './table.ts';

export type MachineRow = Record<string, string | number | boolean | undefined>;

/** Rows as CSV (RFC 4180, base units, ISO times) or as one JSON object a line. */
export function machineRows(
  rows: MachineRow[],
  names: string[],
  format: Extract<OutputFormat, 'csv' | 'ndjson'>,
  options: { fields: string | undefined; headers: boolean },
): string {
  const shown = pickNamed(
    names.map((name) => ({ name })),
    options.fields,
  ).map(({ name }) => name);
  if (format === 'ndjson') {
    return rows
      .map((row) => `${JSON.stringify(Object.fromEntries(shown.map((name) => [name, row[name]])))}\n`)
      .join('');
  }
  const lines = rows.map((row) => shown.map((name) => quoted(row[name])).join(','));
  if (options.headers) lines.unshift(shown.join(','));
  return lines.map((line) => `${line}\r\n`).join('');
}

function quoted(value: string | number | boolean | undefined): string {
  const text = value === undefined ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** One JSON document; indented, because people read it as well and programs don't mind. */
export function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
