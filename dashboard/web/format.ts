/** Numbers for people, by the browser's locale. Absent stays absent: nothing here turns unknown into 0. */

const formats = new Map<number, Intl.NumberFormat>();

export function decimal(value: number, digits: number): string {
  let format = formats.get(digits);
  if (!format) {
    format = new Intl.NumberFormat(undefined, { minimumFractionDigits: digits, maximumFractionDigits: digits });
    formats.set(digits, format);
  }
  return format.format(value);
}

export function watts(value: number): string {
  return decimal(value, Math.abs(value) >= 1000 ? 0 : 1);
}

/** Joules as Wh, with as many digits as a glance can use. */
export function wattHours(joules: number): string {
  const value = joules / 3600;
  return decimal(value, value < 1 ? 3 : value < 10 ? 2 : value < 100 ? 1 : 0);
}

export function percent(ratio: number): string {
  return decimal(ratio * 100, 0);
}

export function celsius(value: number): string {
  return decimal(value, 0);
}

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

export function bytes(value: number): string {
  const power = value < 1 ? 0 : Math.min(BYTE_UNITS.length - 1, Math.floor(Math.log2(value) / 10));
  const scaled = value / 1024 ** power;
  return `${decimal(scaled, scaled >= 100 || power === 0 ? 0 : 1)} ${BYTE_UNITS[power]}`;
}

export function hertz(value: number): string {
  return value >= 1e9 ? `${decimal(value / 1e9, 1)} GHz` : `${decimal(value / 1e6, 0)} MHz`;
}

/** A stopwatch: "00:14", "12:05", "3 h 04 min", "5 d". */
export function stopwatch(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (value: number) => String(value).padStart(2, '0');
  if (seconds < 3600) return `${two(Math.floor(seconds / 60))}:${two(seconds % 60)}`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h ${two(Math.floor((seconds % 3600) / 60))} min`;
  return `${Math.floor(seconds / 86_400)} d`;
}

const time = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
  timeZoneName: 'short',
});

export function clockTime(at: number): string {
  return time.format(at);
}
