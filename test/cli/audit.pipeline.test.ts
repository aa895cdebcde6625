import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'tap';
import { runEricht } from '../helpers/run-ericht.ts';
import { tempDir } from '../helpers/temp.ts';

/** What was acknowledged is only called lost when it has been missing for a minute. */
const AGED_MS = 120_000;

test('three rows deleted and one copied by hand: audit names exactly these four and exits 4', async (t) => {
  const folder = await tempDir(t);
  const started = await runEricht(t, ['start', '--for', '4s', '-o', 'json', '--port', '0', '--interval', '200ms'], {
    folder,
  });
  t.equal(started.code, 0);
  t.equal((await runEricht(t, ['audit'], { folder })).code, 0);

  const database = new DatabaseSync(join(folder, '.local/share/ericht/ericht.db'));
  database.exec(`UPDATE node_health_by_node_date SET appended_at = appended_at - ${AGED_MS}`);
  database.exec('DELETE FROM node_health_by_node_date WHERE seq IN (3, 4, 7)');
  database.exec('CREATE TEMP TABLE copied AS SELECT * FROM node_health_by_node_date WHERE seq = 5');
  database.exec('UPDATE copied SET ts = ts + 1');
  database.exec('INSERT INTO node_health_by_node_date SELECT * FROM copied');
  database.close();

  const { code, stdout } = await runEricht(t, ['audit', '-o', 'json'], { folder });
  t.equal(code, 4);
  const { totals, nodes } = JSON.parse(stdout);
  t.match(totals, { lost: 3, duplicates: 1 });
  const [run] = nodes[0].runs;
  const lost = run.gaps.filter(({ verdict }: { verdict: string }) => verdict === 'lost');
  t.same(
    lost.map(({ from, to }: { from: number; to: number }) => [from, to]),
    [
      [3, 4],
      [7, 7],
    ],
  );
  t.match(run.duplicateRows, [{ seq: 5, rowTimes: [/Z$/, /Z$/] }]);

  const words = await runEricht(t, ['audit'], { folder });
  t.equal(words.code, 4);
  t.match(words.stdout, /^ {2}lost: .* seq 3 to 4$/m);
  t.match(words.stdout, /^ {2}lost: .* seq 7$/m);
  t.match(words.stdout, /^ {2}stored twice: .* seq 5 at .*Z and .*Z$/m);

  const csv = await runEricht(t, ['audit', '-o', 'csv', '--fields', 'nodeId,lost,duplicates'], { folder });
  t.match(csv.stdout, /^nodeId,lost,duplicates\r\n[^,]+,3,1\r\n$/);
  const rows = await runEricht(t, ['audit', '-o', 'ndjson'], { folder });
  t.match(JSON.parse(rows.stdout), { runId: run.runId, lost: 3 });
});

test('--since and --until take times and ages, and refuse what is neither', async (t) => {
  const folder = await tempDir(t);
  await runEricht(t, ['start', '--for', '2s', '-o', 'json', '--port', '0'], { folder });
  for (const since of ['1h', '2020-01-01T00:00:00Z', '2020-01-01']) {
    const { code, stdout } = await runEricht(t, ['audit', '-o', 'json', '--since', since], { folder });
    t.equal(code, 0);
    t.ok(JSON.parse(stdout).totals.stored > 0, since);
  }
  const { stdout } = await runEricht(t, ['audit', '-o', 'json', '--until', '1h'], { folder });
  t.equal(JSON.parse(stdout).totals.stored, 0);
  const refused = await runEricht(t, ['audit', '--since', 'yesterday'], { folder });
  t.equal(refused.code, 2);
  t.match(refused.stderr, /^ericht: --since is not a time: "yesterday"\. Write ISO 8601/);
});
