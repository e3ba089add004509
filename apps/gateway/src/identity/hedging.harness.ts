/** Plain and hedged questions to auth, over the real mesh with two replicas, measured in turn in one run. */
import { AuthService, isProblem } from '@cloakroom/contracts';
import { createPassportVerifier, openAdmission } from '@cloakroom/identity';
import { connectMesh, type Handlers, implement, openRetryBudget, serveMesh } from '@cloakroom/mesh';
import { startTrace, systemClock } from '@cloakroom/platform';
import { openTcpProxy } from '@cloakroom/testing';
import { randomBytes } from 'node:crypto';
import { silent } from '../testing/gateway.fixture.ts';
import type { Resolve } from './identify-reference-token.ts';
import { resolveAtAuth } from './resolve-at-auth.ts';

const stops: (() => unknown)[] = [];
export async function stopAll(): Promise<void> {
  for (const stop of stops.splice(0).toReversed()) await stop();
}

/** @param hiccupEvery of a replica's answers, every so manyth comes late */
async function replica(hiccupEvery: number) {
  const seen = { calls: 0 };
  const handlers = Object.fromEntries(AuthService.methods.map(({ localName }) => [localName, () => Promise.resolve({})]));
  const resolve = () => {
    seen.calls += 1;
    const lateMs = seen.calls % hiccupEvery === 0 ? hiccupMs : 0;
    return new Promise<object>((done) => void (lateMs === 0 ? done({}) : setTimeout(() => done({}), lateMs)));
  };
  const server = await serveMesh({
    name: 'auth',
    port: 0,
    tls: undefined,
    services: [implement(AuthService, { ...handlers, resolve } as unknown as Handlers<typeof AuthService>)],
    admission: openAdmission(
      createPassportVerifier({
        audience: 'auth',
        keys: { find: () => undefined, refresh: () => Promise.resolve(), retire: () => undefined },
        clock: systemClock,
      }),
      systemClock,
    ),
    clock: systemClock,
    log: silent,
  });
  const proxy = await openTcpProxy({ port: server.port, protocol: 'any' });
  stops.push(
    () => server.stop(),
    () => proxy.close(),
  );
  return { seen, proxy };
}

export const hiccupMs = 150;
const callsPerBlock = 150;
const blocks = 4;

export type Figures = Record<'p50' | 'p95' | 'p99' | 'max' | 'failed' | 'extra', number>;

export async function compare(hiccupEvery: number, trouble: (proxies: Awaited<ReturnType<typeof replica>>[]) => void) {
  const replicas = [await replica(hiccupEvery), await replica(hiccupEvery)];
  const address = replicas.map(({ proxy }) => proxy.address).join(',');
  const variants = [false, true].map((hedge) => {
    const mesh = connectMesh(AuthService, { address, tls: undefined, log: silent });
    stops.push(() => mesh.close());
    const resolve: Resolve = resolveAtAuth({
      resolve: (call, request) => mesh.client.resolve(call, request),
      retries: openRetryBudget(),
      hedge,
      nowMs: () => performance.now(),
    });
    return { resolve, durations: [] as number[], failed: 0, asked: 0 };
  });
  const one = async (variant: (typeof variants)[number], kept: boolean): Promise<void> => {
    const startedMs = performance.now();
    const call = { budgetMs: 800, trace: startTrace(randomBytes) };
    const answer = await variant.resolve(call, { token: 't', audience: 'cart', touch: true });
    if (!kept) return;
    variant.durations.push(performance.now() - startedMs);
    if (isProblem(answer)) variant.failed += 1;
  };
  const block = async (variant: (typeof variants)[number], kept: boolean): Promise<void> => {
    const before = replicas.reduce((sum, { seen }) => sum + seen.calls, 0);
    let left = callsPerBlock;
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        while (left-- > 0) await one(variant, kept);
      }),
    );
    if (kept) variant.asked += replicas.reduce((sum, { seen }) => sum + seen.calls, 0) - before;
  };
  for (const variant of variants) for (let i = 0; i < 2; i += 1) await block(variant, false);
  trouble(replicas);
  for (let i = 0; i < blocks; i += 1) for (const variant of i % 2 === 0 ? variants : variants.toReversed()) await block(variant, true);
  const figures = variants.map((variant): Figures => {
    const sorted = variant.durations.toSorted((a, b) => a - b);
    const at = (part: number): number => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]! * 10) / 10;
    return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1), failed: variant.failed, extra: variant.asked / sorted.length - 1 };
  });
  return { plain: figures[0]!, hedged: figures[1]! };
}
