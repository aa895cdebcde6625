/** Numbers for people; a missing one is told as such and never as 0. */

const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat(undefined, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

export function watts(value: number | undefined): string | undefined {
  return value === undefined ? undefined : `${tenths.format(value)} W`;
}

export function celsius(value: number | undefined): string | undefined {
  return value === undefined ? undefined : `${tenths.format(value)} °C`;
}

export function percent(ratio: number | undefined): string | undefined {
  return ratio === undefined ? undefined : `${whole.format(ratio * 100)} %`;
}

export function count(value: number | undefined): string | undefined {
  return value === undefined ? undefined : whole.format(value);
}

/** "1 run", "2 runs". */
export function counted(value: number, one: string): string {
  return `${whole.format(value)} ${one}${value === 1 ? '' : 's'}`;
}
