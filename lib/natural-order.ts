/**
 * Compares names as people count them: hwmon2 comes before hwmon10. By code units otherwise; collation by the rules of a
 * language would load its tables, which is 2 MB of memory for names that are never words.
 */
export function naturalOrder(a: string, b: string): number {
  const [parts, others] = [partsOf(a), partsOf(b)];
  for (const [index, part] of parts.entries()) {
    const other = others[index];
    if (other === undefined) return 1;
    const areNumbers = /^\d/.test(part) && /^\d/.test(other);
    const difference = areNumbers ? Number(part) - Number(other) : byCodeUnits(part, other);
    if (difference !== 0) return difference;
  }
  // "01" and "1" are the same number and yet two names.
  return parts.length - others.length || byCodeUnits(a, b);
}

function partsOf(text: string): string[] {
  return text.match(/\d+|\D+/g) ?? [];
}

function byCodeUnits(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
