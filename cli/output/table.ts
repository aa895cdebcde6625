import { ErichtError } from '../../lib/errors.ts';
import { nearest } from '../../lib/nearest.ts';

/** One column of an answer that is rows. */
export interface Column<Row> {
  /** What --fields calls it, and the heading. */
  name: string;
  align?: 'left' | 'right';
  /** For people; an empty text is shown as a dash, because a blank looks like a fault of the table. */
  text(row: Row): string | undefined;
  /** Escape codes around the padded text. */
  paint?: ((row: Row, padded: string) => string) | undefined;
}

export interface TableOptions {
  /** Comma-separated names of --fields. */
  fields?: string | undefined;
  headers: boolean;
}

/** The named ones in the order named. Throws USAGE for a name that there is not. */
export function pickNamed<T extends { name: string }>(all: T[], fields: string | undefined): T[] {
  if (fields === undefined) return all;
  return fields.split(',').map((written) => {
    const name = written.trim();
    const found = all.find((one) => one.name === name);
    if (found) return found;
    const names = all.map((one) => one.name);
    const near = nearest(name, names);
    const next = near ? `the nearest one is ${near}` : `there are ${names.join(', ')}`;
    throw new ErichtError('USAGE', { what: `there is no field "${name}"`, next });
  });
}

/** Rows under headings, each column as wide as its widest text. */
export function table<Row>(rows: Row[], columns: Column<Row>[], options: TableOptions): string {
  const shown = pickNamed(columns, options.fields);
  const cells = rows.map((row) => shown.map((column) => printable(column.text(row) || '-')));
  const widths = shown.map((column, index) =>
    Math.max(options.headers ? headingOf(column).length : 0, ...cells.map((line) => [...line[index]!].length)),
  );
  const pad = (text: string, index: number) => {
    const space = ' '.repeat(Math.max(0, widths[index]! - [...text].length));
    return shown[index]!.align === 'right' ? space + text : text + space;
  };
  const lines = rows.map((row, at) =>
    shown.map((column, index) => {
      const padded = pad(cells[at]![index]!, index);
      return column.paint ? column.paint(row, padded) : padded;
    }),
  );
  if (options.headers) lines.unshift(shown.map((column, index) => pad(headingOf(column), index)));
  return lines.map((line) => `${line.join('  ').trimEnd()}\n`).join('');
}

/** `onItsWay` → ON ITS WAY. */
function headingOf({ name }: { name: string }): string {
  return name.replace(/[A-Z]/g, ' $&').toUpperCase();
}

/** What other machines say of themselves must not move the cursor or colour the terminal. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '?');
}
