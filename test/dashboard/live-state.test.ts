import { test } from 'tap';
import { LiveState } from '../../dashboard/server/live-state.ts';
import type { PipelineStatus } from '../../telemetry/status.ts';
import { ManualClock } from '../helpers/manual-clock.ts';
import { boardReport, factsOf, laptopReport } from './demo-cluster.ts';

const pipeline: PipelineStatus = {
  transport: 'link',
  readable: true,
  since: 0,
  store: { kind: 'sqlite', reachable: true },
};

function stateAt(clock: ManualClock, expectedNodes: string[] = []): LiveState {
  return new LiveState({ clusterId: undefined, expectedNodes, clock });
}

const stateOf = (state: LiveState, nodeId: string) =>
  state.status(pipeline).nodes.find((node) => node.nodeId === nodeId)?.state;

test('a node is live while its reports come and silent 2.5 s after the last', async (t) => {
  const clock = new ManualClock();
  const state = stateAt(clock, ['pi-01']);
  t.equal(stateOf(state, 'pi-01'), 'expected');
  state.accept({ report: boardReport('pi-01', 0, clock.now()), appendedAt: clock.now() });
  t.equal(stateOf(state, 'pi-01'), 'live');
  await clock.advance(2500);
  t.equal(stateOf(state, 'pi-01'), 'live');
  await clock.advance(250);
  t.equal(stateOf(state, 'pi-01'), 'silent');
});

test('a stepped wall clock neither silences a live node nor wakes a silent one', async (t) => {
  const clock = new ManualClock();
  const state = stateAt(clock);
  state.accept({ report: boardReport('pi-01', 0, clock.now()), appendedAt: clock.now() });
  clock.jumpWall(300 * 86_400_000);
  t.equal(stateOf(state, 'pi-01'), 'live');
  await clock.advance(5000);
  t.equal(stateOf(state, 'pi-01'), 'silent');
  clock.jumpWall(-3_600_000 - 300 * 86_400_000);
  t.equal(stateOf(state, 'pi-01'), 'silent');
});

test('a drained report never replaces a newer live one, and is a sign of life', async (t) => {
  const clock = new ManualClock();
  const state = stateAt(clock);
  state.accept({ report: boardReport('pi-01', 50, clock.now()), appendedAt: clock.now() });
  await clock.advance(60_000);
  const old = boardReport('pi-01', 10, clock.now() - 100_000, { drained: true, runId: 'an-older-run' });
  state.accept({ report: old, appendedAt: clock.now() });
  t.equal(state.report('pi-01')?.seq, 50);
  t.equal(stateOf(state, 'pi-01'), 'late');
});

test('within a run the sequence decides, between runs the append time', async (t) => {
  const clock = new ManualClock();
  const state = stateAt(clock);
  const take = (seq: number, appendedAt: number, runId = 'run-a') =>
    state.accept({ report: boardReport('pi-01', seq, clock.now(), { runId }), appendedAt });
  take(5, 1000);
  take(6, 400);
  t.equal(state.report('pi-01')?.seq, 6, "a broker's clock stepped back freezes nothing");
  take(4, 2000);
  t.equal(state.report('pi-01')?.seq, 6, 'a report that is sent again does not turn time back');
  take(0, 300, 'run-b');
  t.equal(state.report('pi-01')?.runId, 'run-a');
  take(0, 500, 'run-b');
  t.equal(state.report('pi-01')?.runId, 'run-b');
});

test('what the store remembers paints the first picture and never replaces what came live', async (t) => {
  const clock = new ManualClock();
  const state = stateAt(clock);
  state.seed({ report: boardReport('pi-01', 7, clock.now() - 9000), appendedAt: clock.now() - 9000 });
  t.equal(stateOf(state, 'pi-01'), 'silent');
  state.accept({ report: boardReport('pi-01', 8, clock.now()), appendedAt: clock.now() });
  state.seed({ report: boardReport('pi-01', 7, clock.now() - 9000), appendedAt: clock.now() - 9000 });
  t.equal(state.report('pi-01')?.seq, 8);
});

test('a second cluster on the same topics is not mixed into the first', async (t) => {
  const clock = new ManualClock();
  const state = stateAt(clock);
  state.accept({ report: boardReport('pi-01', 0, clock.now()), appendedAt: clock.now() });
  state.accept({ report: boardReport('x', 0, clock.now(), { clusterId: 'other' }), appendedAt: clock.now() });
  state.acceptFacts(factsOf(boardReport('x', 0, clock.now(), { clusterId: 'other' })), clock.now());
  t.equal(state.clusterId, 'suitcase-1');
  t.same(
    state.status(pipeline).nodes.map(({ nodeId }) => nodeId),
    ['pi-01'],
  );
});

test('network rates come from two reports of one boot, and a restarted counter gives none', async (t) => {
  const clock = new ManualClock();
  const state = stateAt(clock);
  const take = (seq: number, overrides = {}) =>
    state.accept({ report: laptopReport(seq, clock.now(), overrides), appendedAt: clock.now() });
  take(1);
  t.equal(state.interfaces('laptop')[0]?.receivedBytesPerSecond, undefined);
  await clock.advance(1000);
  take(2);
  t.equal(state.interfaces('laptop')[0]?.receivedBytesPerSecond, 41_000);
  await clock.advance(1000);
  take(3, { bootId: 'another' });
  t.equal(state.interfaces('laptop')[0]?.receivedBytesPerSecond, undefined);
});

test('the history has a null where nothing was heard', async (t) => {
  const clock = new ManualClock();
  const state = stateAt(clock);
  state.accept({ report: boardReport('pi-01', 0, clock.now()), appendedAt: clock.now() });
  t.ok((state.record(state.status(pipeline)).powerWatts ?? 0) > 1);
  await clock.advance(10_000);
  t.equal(state.record(state.status(pipeline)).powerWatts, null);
  t.same(state.history.length, 2);
});

test('what comes after a reboot with the clock set back is shown, whatever the store holds', async (t) => {
  const clock = new ManualClock();
  const state = stateAt(clock);
  const ahead = clock.now() + 300 * 86_400_000;
  const before = boardReport('pi-01', 500, ahead, { runId: 'before', bootId: 'before' });
  state.seed({ report: before, appendedAt: ahead });
  state.acceptFacts(factsOf(before), ahead);
  const after = boardReport('pi-01', 0, clock.now(), { runId: 'after', bootId: 'after' });
  state.accept({ report: after, appendedAt: clock.now() });
  state.acceptFacts(factsOf(after), clock.now());
  t.equal(state.report('pi-01')?.runId, 'after');
  t.equal(state.facts('pi-01')?.bootId, 'after');
  t.equal(stateOf(state, 'pi-01'), 'live');
});

test('a board that was swapped for repair, and put back, is no conflict to who reads the old facts at once', async (t) => {
  const clock = new ManualClock();
  const state = stateAt(clock);
  const warnings = () => state.status(pipeline).nodes.flatMap((node) => node.warnings);
  state.accept({ report: boardReport('pi-01', 0, clock.now()), appendedAt: clock.now() });
  const tell = (hardwareSerial: string, ageMs: number) =>
    state.acceptFacts(factsOf(boardReport('pi-01', 0, clock.now()), { hardwareSerial }), clock.now() - ageMs);
  for (const [days, serial] of [9, 8, 7].map((days) => [days, days === 8 ? 'spare' : 'first'] as const)) {
    tell(serial, days * 86_400_000);
  }
  t.same(warnings(), []);
  for (const [index, serial] of ['spare', 'first', 'spare'].entries()) tell(serial, 3000 - index * 1000);
  t.match(warnings().join(), /two boards report as pi-01 \(serials first and spare\)/);
});
