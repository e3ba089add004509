import { isProblem, problem, type Problem, type TokenExchangeService } from '@cloakroom/contracts';
import { expect, it } from 'vitest';
import type { MeshClient, RequestContext, VerifiedIdentity } from '@cloakroom/mesh';
import type { Revocation } from './identity.ts';
import { movableClock } from './mesh/mesh.fixture.ts';
import { openTokenExchange } from './token-exchange.ts';

function setUp(answer: () => Problem | undefined = () => undefined) {
  const clock = movableClock();
  const asked: { subjectToken: string; audience: string }[] = [];
  let listener: (what: Revocation) => void = () => undefined;
  let lease = true;
  let meanwhile = (): void => undefined;
  const auth = {
    exchangeToken: (_call: unknown, request: { subjectToken: string; audience: string }) => {
      asked.push(request);
      meanwhile();
      const issuedToken = `${request.audience} for ${request.subjectToken}, ${asked.length}`;
      return Promise.resolve(answer() ?? { issuedToken, expiresAtMs: BigInt(Math.round(clock.nowMs() + 30_000)), scope: [] });
    },
  } as unknown as MeshClient<typeof TokenExchangeService>;
  const feed = {
    leaseValid: () => lease,
    onRevocation: (told: (what: Revocation) => void) => {
      listener = told;
      return () => (listener = () => undefined);
    },
  };
  const exchange = openTokenExchange({ auth, feed, clock });
  const ctx = (subjectToken: string, subject = 'u_1') =>
    ({ identity: { subject } as VerifiedIdentity, subjectToken, deadline: { remainingMs: () => 1_000 } }) as RequestContext;
  return {
    clock,
    asked,
    ask: (token: string, subject?: string, fresh = false) => exchange.exchangeFor(ctx(token, subject), 'cart', { fresh }),
    hear: (what: Revocation) => listener(what),
    loseLease: () => (lease = false),
    during: (then: () => void) => (meanwhile = then),
    nobody: () => exchange.exchangeFor({} as RequestContext, 'cart'),
  };
}

const ended = (subject: string): Revocation => ({ kind: 'token', tokenHash: 'h', handle: 'x', subject, ended: true });

it('asks auth once for one passport, and again for another', async () => {
  const { ask, asked } = setUp();
  expect(await ask('p1')).toBe('cart for p1, 1');
  expect(await ask('p1')).toBe('cart for p1, 1');
  expect(await ask('p2')).toBe('cart for p2, 2');
  expect(asked).toHaveLength(2);
});

it('asks again shortly before the end, for a sensitive method, and without a lease', async () => {
  const { ask, asked, clock, loseLease } = setUp();
  await ask('p1');
  await ask('p1', 'u_1', true);
  clock.aheadMs = 27_500;
  await ask('p1');
  loseLease();
  await ask('p1');
  expect(asked).toHaveLength(4);
});

it.each<[string, Revocation, number]>([
  ['a session of that person ends', ended('u_1'), 3],
  ['that person is revoked', { kind: 'user', subject: 'u_1', epoch: 2 }, 3],
  ['a key is retired', { kind: 'key', kid: 'k1' }, 4],
  ['everything ends', { kind: 'global', epoch: 2 }, 4],
  ['the feed is distrusted', { kind: 'distrust' }, 4],
  ['somebody else signs out', ended('u_3'), 2],
])('forgets what it should when %s', async (_what, revocation, count) => {
  const { ask, asked, hear } = setUp();
  for (let i = 0; i < 2; i += 1) {
    await ask('p1', 'u_1');
    await ask('p2', 'u_2');
    if (i === 0) hear(revocation);
  }
  expect(asked).toHaveLength(count);
});

it('keeps no answer that was asked for before a revocation was heard', async () => {
  const { ask, asked, hear, during } = setUp();
  during(() => hear(ended('u_1')));
  await ask('p1');
  during(() => undefined);
  await ask('p1');
  expect(asked).toHaveLength(2);
});

it('keeps no refusal, and asks nothing for nobody', async () => {
  const refused = setUp(() => problem('forbidden'));
  expect(await refused.ask('p1')).toEqual(problem('forbidden'));
  expect(isProblem(await refused.ask('p1'))).toBe(true);
  expect(refused.asked).toHaveLength(2);
  expect(await refused.nobody()).toEqual(problem('session_required'));
  expect(refused.asked).toHaveLength(2);
});
