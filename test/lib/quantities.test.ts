import t from 'tap';
import { formatBytes, parseBytes } from '../../lib/bytes.ts';
import { parseDuration } from '../../lib/duration.ts';

t.test('durations are read with their unit', (t) => {
  t.equal(parseDuration('500ms', 'x'), 500);
  t.equal(parseDuration('20s', 'x'), 20_000);
  t.equal(parseDuration('1.5h', 'x'), 5_400_000);
  t.equal(parseDuration('7d', 'x'), 7 * 86_400_000);
  for (const bad of ['', '5', '-1s', '1 year', '1s2', 's', '1e3s']) {
    t.throws(() => parseDuration(bad, 'interval'), { code: 'CONFIG_INVALID', message: /interval/ }, `"${bad}"`);
  }
  t.end();
});

t.test('sizes are read with their unit', (t) => {
  t.equal(parseBytes('1000', 'x'), 1000);
  t.equal(parseBytes('2GiB', 'x'), 2 * 1024 ** 3);
  t.equal(parseBytes('1.5 MiB', 'x'), 1.5 * 1024 ** 2);
  for (const bad of ['2GB', '-1', '', 'MiB']) {
    t.throws(() => parseBytes(bad, 'maxSize'), { code: 'CONFIG_INVALID', message: /maxSize/ }, `"${bad}"`);
  }
  t.end();
});

t.test('people read sizes', (t) => {
  t.equal(formatBytes(0), '0 B');
  t.equal(formatBytes(1023), '1023 B');
  t.equal(formatBytes(8 * 1024 ** 3), '8.0 GiB');
  t.equal(formatBytes(512 * 1024 ** 2), '512 MiB');
  t.end();
});
