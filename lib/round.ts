/** The same number with at most so many decimal places: what no meter can tell is only bytes to send. */
export function roundTo(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
