import { test } from 'tap';
import { SUITES, select, suiteOf } from './suites.ts';

const files = ['/p/test/lib/clock.test.ts', '/p/test/kafka/send.pipeline.test.ts', '/p/test/kafka/kill.faults.test.ts'];

function chosen(...words: string[]): Record<string, string[]> {
  const entries = select(SUITES, files, words, '/p').map(({ suite, files: own }) => [suite.name, own] as const);
  return Object.fromEntries(entries);
}

test('the suffix of a file names its suite', async (t) => {
  t.equal(suiteOf('clock.test.ts'), 'unit');
  t.equal(suiteOf('send.pipeline.test.ts'), 'pipeline');
});

test('without words every suite has its files', async (t) => {
  t.same(chosen(), { unit: [files[0]], pipeline: [files[1]], agent: [], faults: [files[2]], screen: [] });
});

test('a word is a suite, or a part of a path', async (t) => {
  t.same(chosen('pipeline'), { pipeline: [files[1]] });
  t.same(chosen('kafka/'), { pipeline: [files[1]], faults: [files[2]] });
  t.same(chosen('faults', 'kafka/'), { faults: [files[2]] });
});

test('a word that matches nothing is an error and not an empty run', async (t) => {
  t.throws(() => chosen('pipline'), /"pipline" is no suite/);
});

test('a file that no suite would run is an error', async (t) => {
  t.throws(
    () => select(SUITES, ['/p/test/a.pipline.test.ts'], [], '/p'),
    /test\/a\.pipline\.test\.ts: there is no suite/,
  );
});
