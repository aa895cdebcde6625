import { createInterface } from 'node:readline';
import t from 'tap';
import { SEGMENT_MAGIC } from '../../agent/spool/frame.ts';
import { until } from '../helpers/until.ts';
import { BoardAgent } from '../helpers/vm/board-agent.ts';
import { BoardVm, DATA } from '../helpers/vm/board-vm.ts';

t.setTimeout(780_000);

/** What a power cut may cost, and the time to the report that comes next. */
const MOST_LOST_MS = 5000;
const INTERVAL_MS = 1000;

const vm = await BoardVm.start(t);
const agent = new BoardAgent(vm.shell);

t.test('after a power cut the spool holds all reports but those of the last 5 s, and the agent starts', async (t) => {
  await agent.configure([], '1s');
  await agent.start();
  const { runId } = await agent.reported('a good part is spooled', ({ seq }) => seq >= 15);

  // The board tells its time until the cut: what it told last was true when the power went, or earlier.
  const telling = vm.shell.spawn('while :; do cat /proc/uptime; sleep 0.1; done');
  t.teardown(() => telling.kill('SIGKILL'));
  let uptimeMs = 0;
  let told = 0;
  createInterface({ input: telling.stdout! }).on('line', (line) => {
    uptimeMs = Number(line.split(' ')[0]) * 1000;
    told += 1;
  });
  await until('the board tells its time', () => told > 20);
  await vm.powerCut();
  const cutAtMs = uptimeMs;

  await vm.powerOn();
  const { reports, torn } = await agent.spool();
  const ofRun = reports.filter((report) => report.runId === runId);
  const seqs = ofRun.map(({ seq }) => seq);
  t.same(seqs, [...seqs.keys()], `all from the first to number ${seqs.at(-1)}`);
  const lastAtMs = ofRun.at(-1)!.uptimeMs;
  t.comment(`the cut cost at most ${((cutAtMs - lastAtMs) / 1000).toFixed(1)} s of reports`);
  t.ok(cutAtMs - lastAtMs <= MOST_LOST_MS + INTERVAL_MS, `the last is of ${lastAtMs}, the cut of ${cutAtMs} ms`);

  // A tail that the cut has torn, where it left none.
  const segment = await vm.shell.run(`ls ${DATA}/spool/*.spool | tail -n 1`);
  const size = Number(await vm.shell.run(`stat --format=%s ${segment}`));
  t.ok(size > SEGMENT_MAGIC.length + 100);
  if (torn === 0) await vm.shell.run(`truncate --size=${size - 100} ${segment}`);
  const whole = torn === 0 ? seqs.slice(0, -1) : seqs;

  await agent.configure([], '1s');
  await agent.start({ keepSpool: true });
  const next = await agent.reported('the agent runs again', (report) => report.runId !== runId);
  t.equal(next.spool?.tornRecords, 1, 'the torn tail is counted');
  t.ok(next.spool!.waitingReports >= whole.length, 'what was spooled still waits');
  const earlier = next.claim.earlierRuns?.find((run) => run.runId === runId);
  t.same(earlier?.unacknowledged, [{ from: 0, to: whole.at(-1)! }], 'and is claimed as not acknowledged');
  t.not(next.bootId, ofRun[0]!.bootId);
  await agent.stop();
});
