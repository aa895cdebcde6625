/**
 * Environment that gives a spawned program a wall clock moved by `offset`, such as "-1h" or "+300d"; its monotonic clock
 * is left alone. `file`, if named, holds the offset instead and is read again at every call, so that a test can step the
 * clock while the program runs. Undefined where libfaketime is not installed.
 */
export function fakeTimeEnvironment({
  offset,
  file,
}: {
  offset?: string;
  file?: string;
}): Record<string, string> | undefined {
  const library = process.env.ERICHT_TEST_FAKETIME;
  if (!library) return undefined;
  return {
    LD_PRELOAD: library,
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    ...(file ? { FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: '1' } : { FAKETIME: offset ?? '+0' }),
  };
}
