import { createServer, type Server } from 'node:http';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { ErichtError, type ErrorCode, toErichtError } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import type { Status } from '../../telemetry/status.ts';
import type { NodeView } from '../messages.ts';
import { isLoopback } from './listen.ts';
import type { Metrics } from './metrics.ts';
import type { Page } from './page.ts';
import { MOST_STREAMS, type StreamHub } from './stream.ts';

/** No byte comes from anywhere but this server, nothing is inline, and nobody may frame the page. */
const SECURITY_HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=()',
};

const HTTP_STATUS: Partial<Record<ErrorCode, number>> = {
  DASHBOARD_NOT_FOUND: 404,
  DASHBOARD_HOST_REFUSED: 421,
  DASHBOARD_STREAMS_FULL: 503,
};

/** What the routes answer from. */
export interface Answers {
  status(): Status;
  nodes(): NodeView[];
  /** Why this dashboard can't show the present, one sentence each; empty when it can. */
  notReady(): string[];
}

interface HttpOptions {
  host: string;
  hub: StreamHub;
  page: Promise<Page>;
  answers: Answers;
  metrics: Metrics;
  log: Log;
}

/** The server and its routes, not yet listening. */
export async function makeHttp(options: HttpOptions): Promise<{ app: FastifyInstance; server: Server }> {
  const server = createServer();
  const app = fastify({
    serverFactory: (handler) => server.on('request', handler),
    bodyLimit: 1024,
    routerOptions: { maxParamLength: 128 },
  });
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(SECURITY_HEADERS);
    if (isLoopback(options.host)) refuseForeignNames(request);
  });
  app.setErrorHandler((error, _request, reply) => answerError(reply, error, options.log));
  app.setNotFoundHandler((request) => {
    throw new ErichtError('DASHBOARD_NOT_FOUND', {
      what: `there is nothing at ${request.method} ${request.url.slice(0, 200)}`,
      next: 'see /, /api/status, /api/nodes, /api/stream, /healthz, /readyz or /metrics',
    });
  });
  addPage(app, options);
  addApi(app, options);
  await app.ready();
  return { app, server };
}

function addPage(app: FastifyInstance, { page }: HttpOptions): void {
  for (const path of ['/', '/app.js', '/app.css', '/icon.svg']) {
    app.get(path, async (request, reply) => {
      const file = (await page).files.get(path);
      if (!file) return reply.callNotFound();
      reply.headers({ etag: file.etag, 'cache-control': 'no-cache', vary: 'accept-encoding' });
      if (request.headers['if-none-match'] === file.etag) return reply.code(304).send();
      reply.type(file.contentType);
      if (!/\bgzip\b/.test(request.headers['accept-encoding'] ?? '')) return reply.send(file.body);
      return reply.header('content-encoding', 'gzip').send(file.gzipped);
    });
  }
}

function addApi(app: FastifyInstance, { hub, page, answers, metrics }: HttpOptions): void {
  app.get('/api/status', async (_request, reply) => reply.header('cache-control', 'no-store').send(answers.status()));
  app.get('/api/nodes', async (_request, reply) =>
    reply.header('cache-control', 'no-store').send({ schemaVersion: 1, nodes: answers.nodes() }),
  );
  app.get('/api/stream', { exposeHeadRoute: false }, async (_request, reply) => {
    if (hub.full) {
      throw new ErichtError('DASHBOARD_STREAMS_FULL', {
        what: `${MOST_STREAMS} pages are watching already`,
        next: 'close some of them',
      });
    }
    await page;
    reply.hijack();
    reply.raw.writeHead(200, {
      ...SECURITY_HEADERS,
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    });
    hub.add(reply.raw);
  });
  app.get('/healthz', async () => ({ status: 'alive' }));
  app.get('/readyz', async (_request, reply) => {
    const reasons = answers.notReady();
    return reply
      .code(reasons.length === 0 ? 200 : 503)
      .send({ status: reasons.length === 0 ? 'ready' : 'not ready', reasons });
  });
  app.get('/metrics', async (_request, reply) => {
    const { contentType, text } = await metrics.collect();
    return reply.type(contentType).send(text);
  });
}

/** A page of another site that makes its own name point to 127.0.0.1 must not read a loopback dashboard. */
function refuseForeignNames(request: FastifyRequest): void {
  if (isLoopback(request.hostname.replace(/^\[|\]$/g, ''))) return;
  throw new ErichtError('DASHBOARD_HOST_REFUSED', {
    what: `this dashboard answers to this machine only, not to the name "${request.hostname}"`,
    next: 'open it as http://127.0.0.1, or start it with --listen and an address that others may reach',
  });
}

function answerError(reply: FastifyReply, thrown: unknown, log: Log): FastifyReply {
  const error = toErichtError(thrown, 'the dashboard could not answer');
  const status = HTTP_STATUS[error.code] ?? (thrown as { statusCode?: number }).statusCode ?? 500;
  if (status === 500) log.error({}, error.message);
  const { code, what, why, next } = error;
  return reply.code(status).send({ error: { code, what, ...(why ? { why } : {}), ...(next ? { next } : {}) } });
}
