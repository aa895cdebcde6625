import t from 'tap';
import { encodeFrame, frameLength, parseFrames, type SpooledRecord } from '../../../agent/spool/frame.ts';
import { randomFor } from '../../helpers/seeded-random.ts';

const record = (seq: number, body = `{"seq":${seq},"node":"ä"}`): SpooledRecord => ({
  runId: 'c0ffee',
  seq,
  sampledAt: seq % 2 ? 1_700_000_000_000 + seq : undefined,
  body: Buffer.from(body),
});

t.test('what is written is read again', async (t) => {
  const records = [record(0), record(1, ''), record(2 ** 40), record(3, 'x'.repeat(70_000))];
  const bytes = Buffer.concat(records.map(encodeFrame));
  t.equal(
    bytes.length,
    records.reduce((sum, record) => sum + frameLength(record), 0),
  );
  t.same(parseFrames(bytes), { records, torn: 0 });
});

t.test('cut at every byte of the last record, all records before it are there', async (t) => {
  const whole = [record(0), record(1), record(2)].map(encodeFrame);
  const bytes = Buffer.concat(whole);
  const lastAt = bytes.length - whole[2]!.length;
  for (let end = lastAt; end < bytes.length; end += 1) {
    const { records, torn } = parseFrames(bytes.subarray(0, end));
    t.same(
      records.map(({ seq }) => seq),
      [0, 1],
    );
    t.equal(torn, end === lastAt ? 0 : 1, `cut at ${end}`);
  }
});

t.test('any flipped byte costs the record that it is in and no other', async (t) => {
  const frames = [record(0), record(1), record(2), record(3)].map(encodeFrame);
  const ends = frames.map((_, index) => Buffer.concat(frames.slice(0, index + 1)).length);
  const clean = Buffer.concat(frames);
  for (let at = 0; at < clean.length; at += 1) {
    const bytes = Buffer.from(clean);
    bytes[at] = bytes[at]! ^ 0xff;
    const hit = ends.findIndex((end) => at < end);
    const { records, torn } = parseFrames(bytes);
    const expected = [0, 1, 2, 3].filter((seq) => seq !== hit);
    if (String(records.map(({ seq }) => seq)) !== String(expected) || torn !== 1) {
      return t.same({ seqs: records.map(({ seq }) => seq), torn }, { seqs: expected, torn: 1 }, `byte ${at}`);
    }
  }
  t.pass(`${clean.length} bytes`);
});

t.test('noise between and around records is stepped over, and never taken for one', async (t) => {
  const random = randomFor(t);
  const noise = () =>
    Buffer.from(
      Array.from({ length: random.int(1, 80) }, () => random.pick([0xff, 0xe5, 0x1c, 0, random.int(0, 255)])),
    );
  for (let trial = 0; trial < 300; trial += 1) {
    const seqs = Array.from({ length: random.int(0, 5) }, (_, seq) => seq);
    const bytes = Buffer.concat(seqs.flatMap((seq) => [noise(), encodeFrame(record(seq))]).concat(noise()));
    const { records, torn } = parseFrames(bytes);
    t.same(
      records,
      seqs.map((seq) => record(seq)),
    );
    t.equal(torn, seqs.length + 1);
  }
});
