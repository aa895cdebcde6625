import { test } from 'tap';
import { holdsOf, Standing } from './standing.ts';

const OUTPUT = `TAP version 14
# Subtest: the first
    ok 1 - holds
    1..1
ok 1 - the first # time=2ms

# Subtest: the second
    ok 1 - holds
    # Subtest: a part
        ok 1 - holds
        1..1
    ok 2 - a part # time=1ms
    # Subtest: another part
        not ok 1 - does not hold
`;

function after(output: string, pieceLength: number): Standing {
  const standing = new Standing();
  for (let from = 0; from < output.length; from += pieceLength) standing.add(output.slice(from, from + pieceLength));
  return standing;
}

test('the tests that run are those that have begun and not ended, in whatever pieces the output comes', async (t) => {
  for (const pieceLength of [1, 7, OUTPUT.length]) {
    const standing = after(OUTPUT, pieceLength);
    t.same(standing.running, ['the second', 'another part']);
    t.equal(`${standing}`, 'it was running: the second > another part');
  }
});

test('between two tests the last one that ended is told', async (t) => {
  const standing = after('TAP version 14\n', 5);
  t.equal(`${standing}`, 'none of its tests had said anything');
  standing.add('# Subtest: the first\n    ok 1 - holds\n    1..1\n');
  t.equal(`${standing}`, 'it was running: the first', 'an assertion is not the end of its test');
  standing.add('ok 1 - the first # time=2ms\n');
  t.equal(`${standing}`, 'it was past: the first');
});

test('what holds an event loop is read from the report of Node', async (t) => {
  const held = { is_active: true, is_referenced: true };
  const libuv = [
    { ...held, type: 'timer', firesInMsFromNow: 200 },
    { ...held, type: 'timer', firesInMsFromNow: 200, is_referenced: false },
    { ...held, type: 'tcp', remoteEndpoint: { host: '127.0.0.1', port: 9042 }, localEndpoint: null },
    { ...held, type: 'process', pid: 4711 },
  ];
  t.equal(holdsOf(JSON.stringify({ libuv })), 'timer due in 200 ms, tcp to 127.0.0.1:9042, process 4711');
  t.equal(holdsOf(JSON.stringify({ libuv: [] })), 'nothing');
});
