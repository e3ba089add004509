/** Two replicas of auth over the real mesh: one is killed, or paused, while the gateway asks who its callers are. */
import { AuthService, isProblem } from '@cloakroom/contracts';
import { createPassportVerifier, openAdmission } from '@cloakroom/identity';
import { connectMesh, type RequestContext, type Rpcs, implement, openRetryBudget, serveMesh } from '@cloakroom/mesh';
import { startTrace, systemClock } from '@cloakroom/platform';
import { openTcpProxy } from '@cloakroom/testing';
import { createHash, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { silent } from '../testing/gateway.fixture.ts';
import { answersQuestion, resolveAtAuth } from './resolve-at-auth.ts';

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

/** Holds every answer until the promise settles. */
let gate: Promise<void> | undefined;

async function openReplica() {
  const asked = { count: 0 };
  const handlers = Object.fromEntries(AuthService.methods.map(({ localName }) => [localName, () => Promise.resolve({})]));
  const resolve = async (_ctx: RequestContext, { token, audience }: { token: string; audience: string }) => {
    asked.count += 1;
    await gate;
    return { tokenSha256: createHash('sha256').update(token).digest(), audience };
  };
  const keys = { find: () => undefined, refresh: () => Promise.resolve(), retire: () => undefined };
  const server = await serveMesh({
    name: 'auth',
    port: 0,
    tls: undefined,
    services: [implement(AuthService, { ...handlers, resolve } as unknown as Rpcs<typeof AuthService>)],
    admission: openAdmission(createPassportVerifier({ audience: 'auth', keys, clock: systemClock }), systemClock),
    clock: systemClock,
    log: silent,
  });
  const proxy = await openTcpProxy({ port: server.port, protocol: 'any' });
  stops.push(
    () => server.stop(),
    () => proxy.close(),
  );
  return { asked, proxy };
}

let replicas: Awaited<ReturnType<typeof openReplica>>[];
let ask: () => Promise<string>;

describe.each([
  ['single calls', {}],
  ['a stream to each', { onStream: { resolve: answersQuestion } }],
])('two replicas asked by %s', (_how, how) => {
  beforeEach(async () => {
    replicas = [await openReplica(), await openReplica()];
    const mesh = connectMesh(AuthService, {
      address: replicas.map(({ proxy }) => proxy.address).join(','),
      tls: undefined,
      log: silent,
      ...how,
    });
    stops.push(() => mesh.close());
    const resolve = resolveAtAuth({
      resolve: (call, request) => mesh.client.resolve(call, request),
      retries: openRetryBudget(),
      nowMs: () => performance.now(),
    });
    ask = async () => {
      const answer = await resolve({ budgetMs: 800, trace: startTrace(randomBytes) }, { token: 't', audience: 'cart', touch: true });
      return isProblem(answer) ? answer.problem : 'ok';
    };
    gate = undefined;
    await untilBothAnswer();
  });

  const untilBothAnswer = (): Promise<void> =>
    vi.waitFor(async () => {
      expect(await ask()).toBe('ok');
      expect(replicas.every(({ asked }) => asked.count > 0)).toBe(true);
    });

  it.each([2, 5])('answers everybody while a replica is killed with %i questions under way: they are asked once more', async (underWay) => {
    const [killed, other] = replicas as [(typeof replicas)[0], (typeof replicas)[0]];
    const before = [killed.asked.count, other.asked.count] as const;
    const { promise, resolve: release } = Promise.withResolvers<void>();
    gate = promise;
    const answers = Array.from({ length: 2 * underWay }, ask);
    await vi.waitFor(() => expect([killed.asked.count, other.asked.count]).toEqual(before.map((count) => count + underWay)));
    killed.proxy.cut();
    release();
    expect(await Promise.all(answers)).toEqual(answers.map(() => 'ok'));
    expect(other.asked.count).toBe(before[1] + 2 * underWay);
  });

  it('loses no more questions to a paused replica than were under way there', async () => {
    const [paused] = replicas;
    paused!.proxy.mute();
    const outcomes: string[] = [];
    const people = Array.from({ length: 4 }, async () => {
      for (let count = 0; count < 15; count += 1) outcomes.push(await ask());
    });
    await Promise.all(people);
    const lost = outcomes.filter((outcome) => outcome !== 'ok');
    expect(lost.length).toBeGreaterThan(0);
    expect(lost.length).toBeLessThanOrEqual(people.length);
  });
});
