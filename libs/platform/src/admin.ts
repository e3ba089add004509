/** The side door of a process: liveness, readiness and metrics for operators. Loopback, no secrets, no personal data. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Logger } from './log.ts';
import { boundedLook, readinessAnswer, type Readiness } from './readiness.ts';

/** One registry a process. In embedded mode the services share it, and the label `service` tells their metrics apart. */
export const metrics = new Registry();
let defaultsCollected = false;

export interface Admin {
  readonly port: number;
  close(): Promise<void>;
}

/** @param ready must answer within 2 s; a longer or failed look is "not ready" */
export async function openAdmin(options: {
  readonly host: string;
  readonly port: number;
  readonly ready: () => Promise<Readiness>;
  readonly log: Logger;
}): Promise<Admin> {
  startDefaultMetrics();
  const ready = boundedLook(options.ready, () => performance.now());
  const server = createServer((request, response) => {
    answer(request.url ?? '/', ready).then(
      ({ status, type, body }) => response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body),
      (error: unknown) => {
        options.log.warn({ err: error }, 'admin request failed');
        response.writeHead(503, { 'content-type': 'application/json' }).end('{"ready":false}');
      },
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function startDefaultMetrics(): void {
  if (defaultsCollected) return;
  defaultsCollected = true;
  collectDefaultMetrics({ register: metrics });
}

const readyTimeoutMs = 2_000;

async function answer(url: string, ready: () => Promise<Readiness>): Promise<{ status: number; type: string; body: string }> {
  const path = url.split('?', 1)[0];
  if (path === '/healthz') return { status: 200, type: 'application/json', body: '{"alive":true}' };
  if (path === '/metrics') return { status: 200, type: metrics.contentType, body: await metrics.metrics() };
  if (path === '/readyz') {
    const late = new Promise<Readiness>((resolve) =>
      setTimeout(() => resolve({ readiness: { ok: false, reason: 'no answer in time' } }), readyTimeoutMs).unref(),
    );
    const { status, body } = readinessAnswer(await Promise.race([ready(), late]));
    return { status, type: 'application/json', body: JSON.stringify(body) };
  }
  return { status: 404, type: 'application/json', body: '{}' };
}
