import t from 'tap';
import { simulatedBoards, simulatedFacts, simulatedSamplers } from '../../agent/simulated-board.ts';
import { factsSchema } from '../../telemetry/facts.ts';
import { type Report, reportSchema } from '../../telemetry/report.ts';
import { ManualClock } from '../helpers/manual-clock.ts';

const partSchema = reportSchema.partial();
const never = new AbortController().signal;

/** The parts of all reports of a case, second by second. */
async function run(seed: number, seconds: number) {
  const clock = new ManualClock();
  const boards = simulatedBoards(8);
  const samplers = boards.map((board) => simulatedSamplers({ board, seed, clock, intervalMs: 1000 }));
  const reports: Partial<Report>[][] = [];
  for (let second = 0; second < seconds; second += 1) {
    reports.push(
      await Promise.all(
        samplers.map(async (list) => Object.assign({}, ...(await Promise.all(list.map((one) => one.sample(never)))))),
      ),
    );
    await clock.advance(1000);
  }
  return { boards, reports };
}

t.test('boards are named as in a case', async (t) => {
  const namesOf = (count: number) => simulatedBoards(count).map(({ nodeId }) => nodeId);
  t.same(namesOf(8), ['pi-01', 'pi-02', 'pi-03', 'pi-04', 'opi-01', 'opi-02', 'opi-03', 'opi-04']);
  t.same(namesOf(1), ['pi-01']);
  t.equal(new Set(namesOf(500)).size, 500);
});

t.test('the same seed gives the same case, another one gives another', async (t) => {
  const first = await run(7, 20);
  t.equal(JSON.stringify((await run(7, 20)).reports), JSON.stringify(first.reports));
  t.not(JSON.stringify((await run(8, 20)).reports), JSON.stringify(first.reports));
  const watts = first.reports[0]!.map(({ rails }) => rails?.[0]?.powerWatts);
  t.equal(new Set(watts).size, 8, 'boards differ from each other');
});

t.test('for ten minutes every value is plausible, smooth, and says that it is simulated', async (t) => {
  const { boards, reports } = await run(1, 600);
  boards.forEach(({ nodeId, profile }, index) => {
    const series = reports.map((second) => second[index]!);
    t.ok(
      series.every((part) => partSchema.safeParse(part).success),
      `${nodeId} speaks as the contract has it`,
    );
    const watts = series.map(({ rails }) => rails![0]!.powerWatts!);
    const celsius = series.map(({ temperature }) => temperature!.temperatureCelsius);
    const [low, high] = nodeId.startsWith('opi') ? [3.8, 9.3] : [3.3, 6.3];
    t.ok(
      Math.min(...watts) > low! && Math.max(...watts) < high!,
      `${nodeId}: ${Math.min(...watts)}..${Math.max(...watts)} W`,
    );
    t.ok(Math.max(...watts) - Math.min(...watts) > 0.5, `${nodeId} is not a flat line`);
    t.ok(largestStep(watts) < 0.15 * profile.fullWatts, `${nodeId} has no cliffs`);
    t.ok(Math.min(...celsius) > 30 && Math.max(...celsius) < 80, `${nodeId} is neither frozen nor burnt`);
    t.ok(
      correlation(
        watts,
        series.map(({ cpu }) => cpu!.usageRatio),
      ) > 0.9,
      `${nodeId} draws more when it works`,
    );
    t.ok(series.every(({ rails }) => rails!.every(({ source }) => source === 'simulated')));
  });
});

t.test('counters only rise, and joules agree with watts', async (t) => {
  const { reports } = await run(3, 120);
  const series = reports.map((second) => second[0]!);
  const received = series.map(({ network }) => network!.interfaces[0]!.receivedBytes);
  t.ok(received.every((bytes, index) => index === 0 || bytes > received[index - 1]!));
  const [board] = series.at(-1)!.rails!;
  const summed = series.slice(1).reduce((sum, { rails }) => sum + rails![0]!.powerWatts!, 0);
  t.ok(Math.abs(board!.energyJoules! - summed) < 0.01, `${board!.energyJoules} J, ${summed} Ws`);
  t.equal(board!.coveredSeconds, 119);
});

t.test('its facts are those of the board it plays, and say that it is one', async (t) => {
  for (const board of simulatedBoards(8)) {
    const facts = simulatedFacts({ board, intervalMs: 1000, versions: { ericht: '0.1.0' } });
    t.ok(factsSchema.partial().safeParse(facts).success);
    t.match(facts, { model: /simulated/, findings: [{ found: true, detail: /no sensor/ }] });
  }
});

function largestStep(values: number[]): number {
  return Math.max(...values.slice(1).map((value, index) => Math.abs(value - values[index]!)));
}

function correlation(a: number[], b: number[]): number {
  const mean = (list: number[]) => list.reduce((sum, value) => sum + value, 0) / list.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [both, aa, bb] = [0, 0, 0];
  a.forEach((value, index) => {
    both += (value - meanA) * (b[index]! - meanB);
    aa += (value - meanA) ** 2;
    bb += (b[index]! - meanB) ** 2;
  });
  return both / Math.sqrt(aa * bb);
}
