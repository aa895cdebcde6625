import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Test, test } from 'tap';
import { runEricht, startEricht } from '../helpers/run-ericht.ts';

type Answer = (respond: (status: number, body: string) => void) => void;

/** A server that stands where a page is expected. */
async function serverThat(t: Test, answer: Answer) {
  const server = createServer((_request, response) => {
    answer((status, body) => response.writeHead(status).end(body));
  });
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

test('a page that never answers is given up after --timeout, with exit code 5', async (t) => {
  const { url } = await serverThat(t, () => {});
  const { code, stdout, stderr } = await runEricht(t, ['status', '--server', url, '--timeout', '200ms'], {
    folder: t.testdir(),
  });
  t.equal(code, 5);
  t.equal(stdout, '');
  t.equal(stderr, 'ericht: ericht status: no answer within 200 ms.\n');
});

test('a verb that looks and is interrupted ends with 130', async (t) => {
  const { server, url } = await serverThat(t, () => {});
  const asked = once(server, 'request');
  const { process, ended } = startEricht(t, ['status', '--server', url], { folder: t.testdir() });
  await asked;
  process.kill('SIGINT');
  t.equal((await ended).code, 130);
});

test('something else at the address is told apart, with exit code 3', async (t) => {
  const cases: [Answer, RegExp][] = [
    [(respond) => respond(404, 'no'), /^ericht: cannot ask http:\S+: it answers 404\. Check --server\.\n$/],
    [(respond) => respond(200, '<html>'), /what answers there is not a page of ericht/],
    [(respond) => respond(200, '{"any":"thing"}'), /what answers there is not a page of ericht/],
  ];
  for (const [answer, sentence] of cases) {
    const { url } = await serverThat(t, answer);
    const { code, stdout, stderr } = await runEricht(t, ['status', '--server', url], { folder: t.testdir() });
    t.equal(code, 3);
    t.equal(stdout, '');
    t.match(stderr, sentence);
  }
});

test('a silent node or an unreadable pipeline is exit code 4, and text of others moves no cursor', async (t) => {
  const node = { nodeId: 'a\u001b[2J', state: 'live', warnings: ['bad\nline'], powerWatts: 4.25 };
  const status = {
    schemaVersion: 1,
    clusterId: 'c',
    at: Date.UTC(2026, 0, 1),
    nodes: [node, { nodeId: 'b', state: 'silent', warnings: [], powerWatts: 3 }],
    power: { powerWatts: 4.25, basis: 'boards', measuredNodes: 1, nodes: 2 },
    pipeline: {
      transport: 'kafka',
      readable: true,
      since: 1,
      collectorLag: 3,
      store: { kind: 'cassandra', reachable: true },
    },
    sentence: 'b silent.',
  };
  const { url } = await serverThat(t, (respond) => respond(200, JSON.stringify(status)));
  const folder = t.testdir();
  const { code, stdout } = await runEricht(t, ['status', '--server', url], { folder });
  t.equal(code, 4);
  t.notOk(stdout.includes('\u001b'));
  t.match(stdout, /^a\?\[2J +live .* 4[.,]3 W .*bad\?line$/m);
  t.match(stdout, /^b +silent +- +- +- +- +- +-$/m, 'old watts of a silent node are not shown');
  t.match(stdout, /^Pipeline +Kafka readable -> lag 3 -> Cassandra answers$/m);

  const two = await runEricht(t, ['status', '--server', url, '--fields', 'state,node', '--no-headers'], { folder });
  t.equal(two.stdout, 'live    a?[2J\nsilent  b\n');
  const refused = await runEricht(t, ['status', '--server', url, '--fields', 'stat'], { folder });
  t.equal(refused.code, 2);
  t.equal(refused.stderr, 'ericht: there is no field "stat". The nearest one is state.\n');

  const json = JSON.parse((await runEricht(t, ['status', '--server', url, '-o', 'json'], { folder })).stdout);
  t.equal(json.at, '2026-01-01T00:00:00.000Z');
  t.equal(json.pipeline.since, '1970-01-01T00:00:00.001Z');
});
