/**
 * Whether a hedged question pays, over the real mesh with two replicas. Plain and hedged are measured in turn in one run; the figures in
 * docs/overload.md are what this prints with HEDGING_FIGURES=true.
 */
import { AuthService, isProblem } from '@cloakroom/contracts';
import {
  connectMesh,
  createPassportVerifier,
  type Handlers,
  implement,
  openRetryBudget,
  serveMesh,
  startTrace,
  systemClock,
} from '@cloakroom/platform';
import { openTcpProxy } from '@cloakroom/testing';
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { silent } from './gateway.fixture.ts';
import type { Resolve } from './identity.ts';
import { resolveAtAuth } from './resolve-at-auth.ts';

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

/** @param hiccupEvery of a replica's answers, every so manyth comes late */
async function replica(hiccupEvery: number) {
  const seen = { calls: 0 };
  const handlers = Object.fromEntries(AuthService.methods.map(({ localName }) => [localName, () => Promise.resolve({})]));
  const resolve = async () => {
    seen.calls += 1;
    if (seen.calls % hiccupEvery === 0) await delay(hiccupMs);
    return {};
  };
  const server = await serveMesh({
    name: 'auth',
    port: 0,
    tls: undefined,
    services: [implement(AuthService, { ...handlers, resolve } as unknown as Handlers<typeof AuthService>)],
    verifier: createPassportVerifier({
      audience: 'auth',
      keys: { find: () => undefined, refresh: () => Promise.resolve(), retire: () => undefined },
      clock: systemClock,
    }),
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

const hiccupMs = 150;
const callsPerBlock = 150;
const blocks = 4;

type Figures = Record<'p50' | 'p95' | 'p99' | 'max' | 'failed' | 'extra', number>;

async function compare(what: string, hiccupEvery: number, trouble: (proxies: Awaited<ReturnType<typeof replica>>[]) => void) {
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
  if (process.env['HEDGING_FIGURES'] === 'true') console.log(what, JSON.stringify({ plain: figures[0], hedged: figures[1] }));
  return { plain: figures[0]!, hedged: figures[1]! };
}

it('pays where one answer in thirty hiccups: the slowest hundredth is shorter, for less than a tenth more questions', async () => {
  const { plain, hedged } = await compare('one answer in 30 late by 150 ms', 30, () => undefined);
  expect(plain.p99).toBeGreaterThanOrEqual(hiccupMs);
  expect(hedged.p99).toBeLessThan(plain.p99);
  expect(hedged.extra).toBeLessThan(0.15);
});

it('does no harm where one replica is slow for all: it stays within the budget', async () => {
  const { hedged } = await compare('one replica of two late by 60 ms', Number.POSITIVE_INFINITY, ([slow]) => slow!.proxy.delay(30));
  expect(hedged.failed).toBe(0);
  expect(hedged.extra).toBeLessThan(0.15);
});

it('where one replica is paused no more wait for it in vain than were on their way', async () => {
  const { hedged } = await compare('one replica of two paused', Number.POSITIVE_INFINITY, ([paused]) => paused!.proxy.mute());
  expect(hedged.failed).toBeLessThanOrEqual(4);
});
