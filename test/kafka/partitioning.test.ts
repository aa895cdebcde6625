import { test } from 'tap';
import { partitionForKey, sizeOf, splitBySize } from '../../kafka/partitioning.ts';

test('a key goes to the partition that the Java client chooses', async (t) => {
  // murmur2 of Kafka's own UtilsTest, made positive as its partitioner does.
  const javaHashes: [string, number][] = [
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ];
  for (const [key, hash] of javaHashes) {
    for (const count of [1, 6, 7, 1000]) {
      t.equal(partitionForKey(key, count), (hash & 0x7fffffff) % count, `${key} of ${count}`);
    }
  }
});

test('records are cut into sends by their bytes, in order, and none is lost', async (t) => {
  const record = (bytes: number) => ({ value: Buffer.alloc(bytes) });
  const records = [record(400), record(400), record(400), record(5000), record(1), record(1)];
  const pieces = splitBySize(records, 10, 1000);
  t.same(
    pieces.map((piece) => piece.length),
    [2, 1, 1, 2],
    'one that is larger than the limit goes alone',
  );
  t.same(pieces.flat(), records);
  for (const piece of pieces.filter(({ length }) => length > 1)) {
    const bytes = piece.reduce((sum, each) => sum + sizeOf(each, 10), 0);
    t.ok(bytes <= 1000, `${bytes} bytes`);
  }
  t.same(splitBySize([], 0, 1000), []);
});

test('the size of a record counts its key and its headers', async (t) => {
  const bare = sizeOf({ value: null }, 0);
  t.equal(sizeOf({ value: Buffer.alloc(7) }, 5), bare + 12);
  t.ok(sizeOf({ value: null, headers: { name: 'ä' } }, 0) >= bare + 6, 'in bytes, not in characters');
});
