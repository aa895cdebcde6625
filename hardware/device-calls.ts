/**
 * Calls into the kernel that a device may hold up for ever: a sensor on a stuck bus, a disk that is gone. Node makes them
 * on four threads, which the spool, name look-ups and everything else share: these calls get at most three of them.
 */
const MOST_AT_ONCE = 3;

/** Of one process, because its threads are, too. */
const underWay = new Map<string, Promise<unknown>>();
const waiting: (() => void)[] = [];
let running = 0;

/**
 * Makes `call` when there is a thread for it. While a call with the same key is under way (or hung) its outcome is
 * shared instead, so that asking a hung device again takes no further thread.
 */
export function deviceCall<T>(key: string, call: () => Promise<T>): Promise<T> {
  const same = underWay.get(key) as Promise<T> | undefined;
  if (same) return same;
  const made = whenFree(call).finally(() => underWay.delete(key));
  underWay.set(key, made);
  return made;
}

/** Whether a call with this key has not come back yet. */
export function isDeviceCallUnderWay(key: string): boolean {
  return underWay.has(key);
}

async function whenFree<T>(call: () => Promise<T>): Promise<T> {
  if (running >= MOST_AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
  else running += 1;
  try {
    return await call();
  } finally {
    // The place goes straight to the next one, if any.
    const next = waiting.shift();
    if (next) next();
    else running -= 1;
  }
}
