import { type AsideRecord, MAX_DETAIL_CHARACTERS } from '../record.ts';

/** What is kept of a body that is refused whole, tried in this order: a look at it, its beginning, who and why alone. */
const KEPT_BODY_BYTES = [16 * 1024, 1024, 0];

/** Longer than any key of ours. */
const MAX_KEY_BYTES = 256;

/** Ever smaller copies of a record that the place for its kind refuses; their detail and originalBytes say so. */
export function shortenedCopies(aside: AsideRecord, why: string): AsideRecord[] {
  const { value, key } = aside.record;
  const originalBytes = value?.length ?? 0;
  const lengths = new Set(KEPT_BODY_BYTES.map((bytes) => Math.min(bytes, originalBytes)));
  return [...lengths].map((bytes) => {
    const cut = `cut to ${bytes} of ${originalBytes} bytes, without its own headers, because whole it was refused`;
    return {
      ...aside,
      detail: `${cut} (${why.slice(0, MAX_DETAIL_CHARACTERS / 4)}): ${aside.detail}`.slice(0, MAX_DETAIL_CHARACTERS),
      originalBytes,
      record: {
        ...aside.record,
        value: value === null ? null : value.subarray(0, bytes),
        headers: {},
        key: key !== null && key.length > MAX_KEY_BYTES ? null : key,
      },
    };
  });
}
