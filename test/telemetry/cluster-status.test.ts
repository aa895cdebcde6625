import { test } from 'tap';
import { clusterStatus, type ObservedReport } from '../../telemetry/cluster-status.ts';
import type { Report } from '../../telemetry/report.ts';
import type { PipelineStatus } from '../../telemetry/status.ts';
import { ageInWords, clusterSentence } from '../../telemetry/status-sentence.ts';
import { reportWarnings } from '../../telemetry/warnings.ts';
import { boardReport, factsOf } from '../dashboard/demo-cluster.ts';

const NOW = Date.UTC(2026, 4, 1, 12);
const pipeline: PipelineStatus = {
  transport: 'kafka',
  readable: true,
  since: NOW - 60_000,
  store: { kind: 'sqlite', reachable: true },
};

function seen(nodeId: string, ageMs: number, overrides: Partial<Report> = {}): ObservedReport {
  return { report: boardReport(nodeId, 40, NOW - ageMs, overrides), appendedAt: NOW - ageMs };
}

function statusOf(reports: ObservedReport[], overrides: Partial<Parameters<typeof clusterStatus>[0]> = {}) {
  return clusterStatus({ clusterId: 'suitcase-1', reports, facts: [], pipeline, now: NOW, ...overrides });
}

const rail = (label: string, powerWatts: number | undefined, measures: 'board' | 'inlet' = 'board') => ({
  label,
  measures,
  source: 'i2c' as const,
  ...(powerWatts === undefined ? { absent: 'no answer on the bus' } : { powerWatts }),
});

test('all nodes live is one calm sentence, and names count as people count', async (t) => {
  const status = statusOf([seen('pi-10', 400), seen('pi-2', 300)]);
  t.equal(status.sentence, '2 of 2 live.');
  t.same(
    status.nodes.map(({ nodeId, state }) => [nodeId, state]),
    [
      ['pi-2', 'live'],
      ['pi-10', 'live'],
    ],
  );
});

test('a silent node is named with its age, and its watts are in no total', async (t) => {
  const status = statusOf([
    seen('pi-01', 400, { rails: [rail('board', 4)] }),
    seen('pi-03', 2600, { rails: [rail('board', 5)] }),
  ]);
  t.equal(status.sentence, 'pi-03 silent, seen 2.6 s ago.');
  t.equal(status.power.powerWatts, 4);
  t.equal(status.power.nodes, 2);
  t.equal(status.nodes[1]?.reportAgeMs, 2600);
});

test('an inlet is the total; without a rail the total is absent, not 0', async (t) => {
  const inlet = statusOf([
    seen('pi-01', 100, { rails: [rail('board', 4)] }),
    seen('pi-02', 100, { rails: [rail('in', 11, 'inlet')] }),
  ]);
  t.match(inlet.power, { powerWatts: 11, basis: 'inlet' });
  const none = statusOf([seen('pi-01', 100, { rails: undefined })]);
  t.equal(none.power.powerWatts, undefined);
  t.equal(none.power.basis, 'none');
  t.equal(none.energy, undefined);
});

test('energy is summed with the part of the running time that was measured', async (t) => {
  const counting = { ...rail('board', 4), energyJoules: 3600, coveredSeconds: 20.5 };
  const status = statusOf([seen('pi-01', 100, { rails: [counting] }), seen('pi-02', 100, { rails: undefined })]);
  t.same(status.energy, { energyJoules: 3600, basis: 'boards', coveredRatio: 0.25 });
});

test('a partition that cannot be read makes its boards stalled, and the sentence speaks of Kafka', async (t) => {
  const unreadable = { ...pipeline, readable: false, since: NOW - 12_000 };
  const status = statusOf([seen('pi-01', 12_500)], { pipeline: unreadable });
  t.equal(status.nodes[0]?.state, 'stalled');
  t.match(status.sentence, /^Pipeline stalled: Kafka can't be read for 12 s/);
});

test('just after the way opened again nobody is called silent', async (t) => {
  const justOpened = { ...pipeline, since: NOW - 1000 };
  t.equal(statusOf([seen('pi-01', 30_000)], { pipeline: justOpened }).nodes[0]?.state, 'stalled');
  t.equal(statusOf([seen('pi-01', 30_000)]).nodes[0]?.state, 'silent');
});

test('an agent that pauses between two attempts is not silent when Kafka is back; one that was heard since can be', async (t) => {
  const opened = { ...pipeline, since: NOW - 6000 };
  t.equal(statusOf([seen('pi-01', 30_000)], { pipeline: opened }).nodes[0]?.state, 'stalled');
  t.equal(statusOf([seen('pi-01', 3000)], { pipeline: opened }).nodes[0]?.state, 'silent');
});

test('where nobody knows since when nothing can be read, no time is told', async (t) => {
  const closed = { ...pipeline, readable: false, since: 0 };
  t.equal(
    statusOf([seen('pi-01', 30_000)], { pipeline: closed }).sentence,
    "Pipeline stalled: Kafka can't be read; boards unknown.",
  );
});

test('nothing from anybody is the network or the power', async (t) => {
  const status = statusOf([seen('pi-01', 5000), seen('pi-02', 6000)]);
  t.equal(status.sentence, 'Nothing from any of 2 nodes for 5.0 s: the network or the power.');
});

test('expected, stopped and warned nodes are told apart', async (t) => {
  const status = statusOf(
    [seen('pi-01', 100, { temperature: { temperatureCelsius: 86.2 } }), seen('pi-02', 90_000, { goodbye: true })],
    { expectedNodes: ['pi-01', 'pi-09'] },
  );
  t.same(
    status.nodes.map(({ state }) => state),
    ['warning', 'stopped', 'expected'],
  );
  t.equal(status.sentence, '1 of 3 live, pi-02 stopped, pi-09 not seen yet. pi-01: processor at 86 °C.');
});

test('reports that are sent late are signs of life, so their node is late and not silent', async (t) => {
  const status = statusOf([{ ...seen('pi-01', 60_000), otherSignAt: NOW - 200 }]);
  t.equal(status.nodes[0]?.state, 'late');
});

test('one simulated node marks the whole cluster; another cluster is not mixed in', async (t) => {
  const other = { report: boardReport('x', 1, NOW, { clusterId: 'other' }), appendedAt: NOW };
  const facts = [{ facts: factsOf(boardReport('pi-05', 0, NOW)) }];
  const status = statusOf([other], { facts });
  t.same(
    status.nodes.map(({ nodeId }) => nodeId),
    ['pi-05'],
  );
  t.equal(status.simulated, true);
  t.notOk('simulated' in statusOf([seen('pi-01', 100, { simulated: undefined })]));
});

test('ages are read as people say them', async (t) => {
  t.equal(ageInWords(400), '0.4 s');
  t.equal(ageInWords(9960), '10 s');
  t.equal(ageInWords(14_200), '14 s');
  t.equal(ageInWords(600_000), '10 min');
  t.equal(ageInWords(7 * 86_400_000), '7 d');
  t.equal(ageInWords(-5), '0.0 s', 'a clock that is a little ahead is no negative age');
});

test('the sentence without ages changes only when something happens', async (t) => {
  const at = (ageMs: number) => clusterSentence(statusOf([seen('pi-01', 100), seen('pi-03', ageMs)]));
  t.equal(at(2600), 'pi-03 silent.');
  t.equal(at(92_600), at(2600));
});

test('a failing rail is a warning; a battery on mains is not', async (t) => {
  const failing = boardReport('pi-01', 1, NOW, { rails: [rail('board', undefined)] });
  t.same(reportWarnings(failing), ['rail board has no value: no answer on the bus']);
  const battery = { ...rail('battery', undefined), source: 'battery' as const };
  t.same(reportWarnings(boardReport('pi-01', 1, NOW, { rails: [battery] })), []);
});
