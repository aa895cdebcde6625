import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { type Test, test } from 'tap';
import { Dashboard, type DashboardOptions } from '../../dashboard/server/dashboard.ts';
import { PORTS_TRIED } from '../../dashboard/server/listen.ts';
import { systemClock } from '../../lib/clock.ts';
import { ErichtError } from '../../lib/errors.ts';
import { silentLog } from '../../lib/log.ts';
import type { Status } from '../../telemetry/status.ts';
import { until } from '../helpers/until.ts';
import { boardReport, factsOf, HandFedSource } from './demo-cluster.ts';
import { LatestOnlyReader } from './latest-only-reader.ts';

async function startDashboard(t: Test, overrides: Partial<DashboardOptions> = {}) {
  const live = new HandFedSource();
  const reader = new LatestOnlyReader();
  const dashboard = new Dashboard({
    live,
    reader,
    host: '127.0.0.1',
    port: 0,
    portIsExplicit: true,
    clock: systemClock,
    log: silentLog,
    notices: () => [],
    ...overrides,
  });
  t.teardown(() => dashboard.stop());
  await dashboard.start();
  return { dashboard, live, reader, url: dashboard.address().url };
}

async function takenPort(t: Test): Promise<number> {
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

test('a taken default port moves to the next free one, and the page says so', async (t) => {
  const port = await takenPort(t);
  const { dashboard, url } = await startDashboard(t, { port, portIsExplicit: false });
  t.ok(dashboard.address().port > port && dashboard.address().port < port + PORTS_TRIED);
  t.match(await firstEvent(url), `Port ${port} is taken by another program`);
});

test('a port that was asked for and is taken is an error that says what to do', async (t) => {
  const port = await takenPort(t);
  const error = await startDashboard(t, { port }).catch((thrown) => thrown);
  t.ok(error instanceof ErichtError);
  t.match(error, { code: 'PORT_TAKEN', exitCode: 2, next: /--port/ });
});

test('an address of another machine is refused with the reason', async (t) => {
  await t.rejects(startDashboard(t, { host: '192.0.2.1' }), { code: 'CONFIG_INVALID' });
});

test('every answer carries the security headers, and none allows another origin', async (t) => {
  const { url } = await startDashboard(t);
  for (const path of ['/', '/app.js', '/api/status', '/nothing', '/healthz']) {
    const { headers } = await fetch(url + path);
    t.match(headers.get('content-security-policy'), /default-src 'none'.*frame-ancestors 'none'/, path);
    t.notMatch(headers.get('content-security-policy'), /unsafe|https?:/);
    t.equal(headers.get('x-content-type-options'), 'nosniff');
    t.equal(headers.get('referrer-policy'), 'no-referrer');
    t.equal(headers.get('access-control-allow-origin'), null);
  }
});

test('the page, its script and its style come compressed, with nothing inline and nothing from elsewhere', async (t) => {
  const { url } = await startDashboard(t);
  let gzippedBytes = 0;
  for (const path of ['/', '/app.js', '/app.css', '/icon.svg']) {
    const answer = await fetch(url + path, { headers: { 'accept-encoding': 'gzip' } });
    t.equal(answer.status, 200);
    gzippedBytes += Number(answer.headers.get('content-length'));
    const body = await answer.text();
    t.notMatch(body, /https?:\/\/(?!www\.w3\.org\/)/, `${path} names no other host`);
    const again = await fetch(url + path, { headers: { 'if-none-match': answer.headers.get('etag') ?? '' } });
    t.equal(again.status, 304);
  }
  t.ok(gzippedBytes < 100_000, `${gzippedBytes} bytes`);
  t.notMatch(await (await fetch(url)).text(), /<style|style=|<script>/);
});

test('errors are JSON in one form, and a foreign host name is refused on loopback', async (t) => {
  const { url, dashboard } = await startDashboard(t);
  const missing = await fetch(`${url}/nothing`);
  t.equal(missing.status, 404);
  t.match(await missing.json(), { error: { code: 'DASHBOARD_NOT_FOUND', what: /nothing/, next: String } });
  const raw = await new Promise<string>((resolve) => {
    const socket = connect(dashboard.address().port, '127.0.0.1', () =>
      socket.end('GET /api/status HTTP/1.1\r\nHost: rebound.example\r\nConnection: close\r\n\r\n'),
    );
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('close', () => resolve(text));
  });
  t.match(raw, /^HTTP\/1\.1 421 /);
  t.match(raw, 'DASHBOARD_HOST_REFUSED');
});

test('the status begins with what the store remembers and goes on with what comes live', async (t) => {
  const reader = new LatestOnlyReader();
  const now = systemClock.now();
  reader.rows = [{ report: boardReport('pi-01', 3, now - 1000), appendedAt: now - 1000 }];
  const { url, live } = await startDashboard(t, { reader });
  const status = async () => (await (await fetch(`${url}/api/status`)).json()) as Status;
  await until('the stored node is there', async () => (await status()).nodes.length === 1);
  live.report(boardReport('pi-01', 4, now, { temperature: { temperatureCelsius: 71 } }));
  live.report(boardReport('pi-02', 0, now));
  t.match(await status(), {
    schemaVersion: 1,
    clusterId: 'suitcase-1',
    simulated: true,
    sentence: '2 of 2 live.',
    nodes: [{ nodeId: 'pi-01', temperatureCelsius: 71 }, { nodeId: 'pi-02' }],
  });
  const { nodes } = (await (await fetch(`${url}/api/nodes`)).json()) as { nodes: unknown[] };
  t.match(nodes, [{ status: { nodeId: 'pi-01' }, details: { rails: [{ label: 'board' }] } }]);
});

test('ready means that reports and store can be read; alive means only that it answers', async (t) => {
  const { url, live, reader } = await startDashboard(t);
  await until('ready', async () => (await fetch(`${url}/readyz`)).status === 200);
  live.transport = { transport: 'kafka', readable: false, since: 0 };
  const answer = await fetch(`${url}/readyz`);
  t.equal(answer.status, 503);
  t.match(await answer.json(), { reasons: ['reports cannot be read'] });
  reader.failure = new Error('disk on fire');
  t.equal((await fetch(`${url}/healthz`)).status, 200);
});

test('a store that fails at the start keeps nothing from being shown', async (t) => {
  const reader = new LatestOnlyReader();
  reader.failure = new Error('no such table');
  const { url, live } = await startDashboard(t, { reader });
  live.report(boardReport('pi-01', 0, systemClock.now()));
  await until('the failure is known', async () => {
    const { pipeline } = (await (await fetch(`${url}/api/status`)).json()) as Status;
    return pipeline.store.problem === 'no such table';
  });
  t.match(await (await fetch(`${url}/api/status`)).json(), { sentence: 'pi-01 is live.' });
});

test('the metrics hold the watts of live nodes and none of silent ones', async (t) => {
  const { url, live } = await startDashboard(t);
  const now = systemClock.now();
  live.report(boardReport('pi-01', 0, now));
  live.facts(factsOf(boardReport('pi-09', 0, now)));
  const text = await (await fetch(`${url}/metrics`)).text();
  t.match(text, /^ericht_nodes\{state="live",cluster="suitcase-1"\} 1$/m);
  t.match(text, /^ericht_nodes\{state="expected",cluster="suitcase-1"\} 1$/m);
  t.match(text, /^ericht_node_rail_power_watts\{node="pi-01",rail="board",measures="board",cluster="suitcase-1"\} \d/m);
  t.match(text, /# TYPE ericht_node_rail_energy_joules_total counter/);
  t.notMatch(text, /power_watts\{node="pi-09"/);
});

test('stop() ends open streams, can be called twice, and frees the port', async (t) => {
  const { dashboard, url } = await startDashboard(t);
  const answer = await fetch(`${url}/api/stream`);
  const ended = answer.text().catch(() => 'cut');
  const { port } = dashboard.address();
  await Promise.all([dashboard.stop(), dashboard.stop()]);
  await ended;
  const again = await startDashboard(t, { port });
  t.equal(again.dashboard.address().port, port);
});

/** The first event of a stream, as text. */
async function firstEvent(url: string): Promise<string> {
  const answer = await fetch(`${url}/api/stream`);
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of answer.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    const event = text.split('\n\n').find((block) => block.includes('data: '));
    // The last piece may be cut; a blank line ends a whole event.
    if (event && text.endsWith('\n\n')) return event;
  }
  return text;
}
