import t from 'tap';
import { type NodeSigns, nodeState, silentAfterMs } from '../../telemetry/node-state.ts';

const NOW = 1_700_000_000_000;
const base: NodeSigns = {
  reportSeenAt: NOW - 500,
  intervalMs: 1000,
  saidGoodbye: false,
  hasWarning: false,
  beatsConfigured: false,
  partitionReadable: true,
};
const state = (changes: Partial<NodeSigns>) => nodeState({ ...base, ...changes }, NOW);
const old = NOW - 60_000;

t.test('each state is told by its signs', (t) => {
  t.equal(state({}), 'live');
  t.equal(state({ hasWarning: true }), 'warning');
  t.equal(state({ reportSeenAt: old }), 'silent');
  t.equal(state({ reportSeenAt: old, beatSeenAt: NOW - 300, beatsConfigured: true }), 'late');
  t.equal(state({ reportSeenAt: old, saidGoodbye: true }), 'stopped');
  t.equal(state({ reportSeenAt: undefined }), 'expected');
  t.end();
});

t.test('an unreadable partition says nothing about its boards', (t) => {
  t.equal(state({ reportSeenAt: old, partitionReadable: false }), 'stalled');
  t.equal(state({ reportSeenAt: old, partitionReadable: false, beatsConfigured: true, beatSeenAt: NOW }), 'stalled');
  t.equal(
    state({ reportSeenAt: old, partitionReadable: false, beatsConfigured: true, beatSeenAt: old }),
    'silent',
    'where beats would have come, their absence counts',
  );
  t.end();
});

t.test('a goodbye holds at once, and a board that beats again has not gone', (t) => {
  t.equal(state({ saidGoodbye: true }), 'stopped');
  t.equal(state({ saidGoodbye: true, reportSeenAt: old, beatSeenAt: NOW, beatsConfigured: true }), 'late');
  t.end();
});

t.test('silence is named within 3 s at 1 Hz, and never for one late report', (t) => {
  t.ok(silentAfterMs(1000) > 2000, 'one report may be missed');
  t.ok(silentAfterMs(1000) < 3000);
  t.equal(silentAfterMs(100), silentAfterMs(1000), 'at short intervals the scheduler decides');
  t.equal(silentAfterMs(10_000), 25_000);
  t.end();
});
