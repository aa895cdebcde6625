import { readFileSync } from 'node:fs';
import t from 'tap';
import { ERROR_CODES, ErichtError, isRetryable, reasonOf, toErichtError } from '../../lib/errors.ts';

t.test('an error reads as sentences: what, why, what to do', (t) => {
  const error = new ErichtError('KAFKA_UNREACHABLE', {
    what: 'cannot reach Kafka at 127.0.0.1:9092',
    why: 'connection refused',
    next: 'start it with npm run stack, or set kafka.brokers',
  });
  t.equal(
    error.message,
    'cannot reach Kafka at 127.0.0.1:9092: connection refused. Start it with npm run stack, or set kafka.brokers',
  );
  t.equal(error.exitCode, 3);
  t.ok(isRetryable(error));
  t.end();
});

t.test('whatever was thrown becomes an error with a code, and an error of ours stays itself', (t) => {
  const ours = new ErichtError('USAGE', { what: 'x' });
  t.equal(toErichtError(ours), ours);
  t.match(toErichtError('text', 'reading'), { code: 'UNEXPECTED', message: 'reading: text' });
  t.match(toErichtError(new TypeError('no'), 'reading'), { cause: TypeError });
  t.notOk(isRetryable(new Error('x')));
  t.equal(reasonOf(new AggregateError([new Error('connect ECONNREFUSED')])), 'connect ECONNREFUSED');
  t.end();
});

t.test('docs/errors.md lists just the codes that exist, with their exit codes', (t) => {
  const text = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
  const rows = [...text.matchAll(/^\| `([A-Z_]+)` \| (\d) \| (yes|no) \|/gm)];
  const documented = Object.fromEntries(rows.map(([, code, exit, retry]) => [code, `${exit} ${retry}`]));
  const existing = Object.fromEntries(
    Object.entries(ERROR_CODES).map(([code, { exitCode, retryable }]) => [
      code,
      `${exitCode} ${retryable ? 'yes' : 'no'}`,
    ]),
  );
  t.same(documented, existing);
  t.end();
});
