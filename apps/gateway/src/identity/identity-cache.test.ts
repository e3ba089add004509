import { create } from '@bufbuild/protobuf';
import { type Problem, problem, SessionState, SessionViewSchema, TokenMode } from '@cloakroom/contracts';
import type { Revocation, RevocationFeed } from '@cloakroom/identity';
import type { Clock } from '@cloakroom/platform';
import { describe, expect, it } from 'vitest';
import { type Audience, type AuthAnswer, IdentityCache, type IdentityRequest, type Resolved } from './identity-cache.ts';

const passportLifeMs = 60_000;

function movableClock(): Clock & { aheadMs: number; sleptMs: number } {
  const clock = {
    aheadMs: 0,
    sleptMs: 0,
    nowMs: () => 1_700_000_000_000 + clock.aheadMs + clock.sleptMs,
    monotonicMs: () => clock.aheadMs,
  };
  return clock;
}

interface FakeFeed extends RevocationFeed {
  lease: boolean;
  globalEpoch: number;
  /** The feed hears of it. */
  tell(what: Revocation): void;
  readonly listeners: number;
}

function fakeFeed(): FakeFeed {
  const tokens = new Set<string>();
  const handles = new Set<string>();
  const epochs = new Map<string, number>();
  const listeners = new Set<(what: Revocation) => void>();
  const feed: FakeFeed = {
    lease: true,
    globalEpoch: 0,
    leaseValid: () => feed.lease,
    leaseAgeMs: () => 0,
    isRevoked: ({ subject, handle, epoch, globalEpoch }) =>
      handles.has(handle) || epoch < (epochs.get(subject) ?? 0) || globalEpoch < feed.globalEpoch,
    isTokenRevoked: (hash) => tokens.has(hash),
    onRevocation: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    ready: Promise.resolve(),
    stop: () => Promise.resolve(),
    tell(what: Revocation): void {
      if (what.kind === 'token') {
        tokens.add(what.tokenHash);
        if (what.ended) handles.add(what.handle);
      }
      if (what.kind === 'user') epochs.set(what.subject, what.epoch);
      if (what.kind === 'global') feed.globalEpoch = what.epoch;
      for (const listener of listeners) listener(what);
    },
    get listeners() {
      return listeners.size;
    },
  };
  return feed;
}

interface Given {
  readonly mode?: TokenMode;
  readonly epoch?: number;
  readonly globalEpoch?: number;
  readonly handle?: string;
  readonly subject?: string;
  readonly passport?: string;
  readonly lifeMs?: number;
}

let passports = 0;
function live(given: Given = {}): Resolved {
  const { subject = 'u_1', handle = 'h1', mode = TokenMode.HYBRID } = given;
  return {
    view: create(SessionViewSchema, { handle, subject, mode, state: SessionState.USER }),
    passport: given.passport ?? `passport-${++passports}`,
    identity: { subject, handle, epoch: given.epoch ?? 1, globalEpoch: given.globalEpoch ?? 0, issuedAtMs: 0 },
    lifeMs: given.lifeMs ?? passportLifeMs,
  };
}

function setUp(entryCountMax?: number) {
  const feed = fakeFeed();
  const clock = movableClock();
  const cache = new IdentityCache({ feed, clock, random: () => 0, ...(entryCountMax !== undefined && { entryCountMax }) });
  let asked = 0;
  const request = (answer: () => AuthAnswer | Promise<AuthAnswer>, changes: Partial<IdentityRequest> = {}): IdentityRequest => ({
    tokenHash: 't1',
    audience: 'cart',
    sensitive: false,
    touch: true,
    patience: () => new Promise(() => undefined),
    ask: async () => {
      asked++;
      return answer();
    },
    ...changes,
  });
  return { feed, clock, cache, request, asked: () => asked };
}

/** A question to auth that is answered when the test says so. */
function held() {
  const gate = Promise.withResolvers<AuthAnswer>();
  return { ask: () => gate.promise, answer: (with_: AuthAnswer) => gate.resolve(with_) };
}

const decisionOf = (answer: Awaited<ReturnType<IdentityCache['identify']>>): string =>
  answer === 'ended' ? 'ended' : 'problem' in answer ? answer.problem : answer.decision;

const unavailable = (): Problem => problem('unavailable');

describe('a cached identity', () => {
  it('is used without asking auth while the feed holds its lease', async () => {
    const { cache, request, asked } = setUp();
    expect(decisionOf(await cache.identify(request(live)))).toBe('asked');
    expect(decisionOf(await cache.identify(request(live)))).toBe('hit');
    expect(asked()).toBe(1);
  });

  it('is not used without the lease: auth is asked for every request', async () => {
    const { cache, request, feed, asked } = setUp();
    await cache.identify(request(live));
    feed.lease = false;
    expect(decisionOf(await cache.identify(request(live)))).toBe('asked');
    expect(decisionOf(await cache.identify(request(() => 'none')))).toBe('ended');
    expect(asked()).toBe(3);
  });

  it('dies before its passport does, and never lives longer than a minute', async () => {
    const { cache, request, clock } = setUp();
    await cache.identify(request(() => live({ lifeMs: 3_600_000 })));
    clock.aheadMs = 58_000;
    expect(decisionOf(await cache.identify(request(live)))).toBe('hit');
    clock.aheadMs = 58_600;
    expect(decisionOf(await cache.identify(request(live)))).toBe('asked');
  });

  it('ends by the wall clock too, under the lease and without auth: the machine may have slept', async () => {
    const { cache, request, feed, clock } = setUp();
    await cache.identify(request(live));
    clock.sleptMs = 8 * 3_600_000;
    expect(decisionOf(await cache.identify(request(unavailable)))).toBe('identity_unavailable');
    feed.lease = false;
    expect(decisionOf(await cache.identify(request(unavailable)))).toBe('identity_unavailable');
    // A wall clock that is set back must not lengthen a life.
    clock.sleptMs = 0;
    await cache.identify(request(live));
    clock.sleptMs = -3_600_000;
    clock.aheadMs = 60_000;
    expect(decisionOf(await cache.identify(request(unavailable)))).toBe('identity_unavailable');
  });

  it('counts its life from the start of the question, not from the arrival of the answer', async () => {
    const { cache, request, clock } = setUp();
    const question = held();
    const first = cache.identify(request(question.ask));
    clock.aheadMs = 5_000;
    question.answer(live({ lifeMs: 6_000 }));
    await first;
    expect(decisionOf(await cache.identify(request(live)))).toBe('asked');
  });

  it('is spread in its end, so that entries filled together do not ask together', async () => {
    const feed = fakeFeed();
    const clock = movableClock();
    const cache = new IdentityCache({ feed, clock, random: () => 0.99 });
    const request = setUp().request;
    await cache.identify(request(live));
    clock.aheadMs = 48_000;
    expect(decisionOf(await cache.identify(request(live)))).toBe('asked');
  });

  it('is never used for another token or another audience', async () => {
    const { cache, request } = setUp();
    await cache.identify(request(live));
    expect(decisionOf(await cache.identify(request(live, { tokenHash: 't2' })))).toBe('asked');
    expect(decisionOf(await cache.identify(request(live, { audience: 'profile' })))).toBe('asked');
  });

  it('is not kept for a session that does not exist', async () => {
    const { cache, request } = setUp();
    expect(await cache.identify(request(() => 'none'))).toBe('ended');
    expect(decisionOf(await cache.identify(request(live)))).toBe('asked');
  });

  it('gives way to others above the bound', async () => {
    const { cache, request } = setUp(2);
    for (const tokenHash of ['a', 'b', 'c']) await cache.identify(request(live, { tokenHash }));
    expect(cache.size).toBe(2);
    expect(decisionOf(await cache.identify(request(live, { tokenHash: 'a' })))).toBe('asked');
  });

  it('that a stream filled does not spare a person the touch', async () => {
    const { cache, request } = setUp();
    await cache.identify(request(live, { touch: false }));
    expect(decisionOf(await cache.identify(request(live, { touch: false })))).toBe('hit');
    expect(decisionOf(await cache.identify(request(live, { touch: true })))).toBe('asked');
    expect(decisionOf(await cache.identify(request(live, { touch: true })))).toBe('hit');
  });
});

describe('a revocation evicts', () => {
  const revoked: [string, Revocation, Given][] = [
    ['the token', { kind: 'token', tokenHash: 't1', handle: 'h1', subject: 'u_1', ended: false }, {}],
    ['the session, under whatever token', { kind: 'token', tokenHash: 'newer', handle: 'h1', subject: 'u_1', ended: true }, {}],
    ['all of the person', { kind: 'user', subject: 'u_1', epoch: 2 }, {}],
    ['everyone', { kind: 'global', epoch: 1 }, {}],
    ['a signing key', { kind: 'key', kid: 'k1' }, {}],
    ['all trust', { kind: 'distrust' }, {}],
  ];
  it.each(revoked)('when it concerns %s', async (_what, revocation) => {
    const { cache, request, feed } = setUp();
    await cache.identify(request(live));
    await cache.identify(request(live, { audience: 'profile' }));
    feed.tell(revocation);
    expect(cache.size).toBe(0);
  });

  it('and leaves others alone', async () => {
    const { cache, request, feed } = setUp();
    await cache.identify(request(live));
    feed.tell({ kind: 'token', tokenHash: 't9', handle: 'h9', subject: 'u_1', ended: true });
    feed.tell({ kind: 'token', tokenHash: 't9', handle: 'h1', subject: 'u_1', ended: false });
    feed.tell({ kind: 'user', subject: 'u_1', epoch: 1 });
    feed.tell({ kind: 'user', subject: 'u_2', epoch: 9 });
    expect(cache.size).toBe(1);
  });

  it('of which this gateway itself is the witness, at once and for every audience', async () => {
    const { cache, request } = setUp();
    for (const audience of ['auth', 'cart', 'profile'] satisfies Audience[]) await cache.identify(request(live, { audience }));
    cache.forgetToken('t1');
    expect(cache.size).toBe(0);
  });
});

describe('a fill that races a revocation', () => {
  const heard: [string, Revocation][] = [
    ['the token', { kind: 'token', tokenHash: 't1', handle: 'h1', subject: 'u_1', ended: true }],
    ['a rotation', { kind: 'token', tokenHash: 't1', handle: 'h1', subject: 'u_1', ended: false }],
    ['the session under a newer token', { kind: 'token', tokenHash: 'newer', handle: 'h1', subject: 'u_1', ended: true }],
    ['the person', { kind: 'user', subject: 'u_1', epoch: 2 }],
    ['everyone', { kind: 'global', epoch: 1 }],
  ];
  it.each(heard)('is neither kept nor used: %s', async (_what, revocation) => {
    const { cache, request, feed } = setUp();
    const question = held();
    const answer = cache.identify(request(question.ask));
    feed.tell(revocation);
    question.answer(live());
    expect(await answer).toBe('ended');
    expect(cache.size).toBe(0);
  });

  it('is not kept when everything was distrusted meanwhile, but the one who asked has its answer', async () => {
    const { cache, request, feed } = setUp();
    const question = held();
    const answer = cache.identify(request(question.ask));
    feed.tell({ kind: 'distrust' });
    question.answer(live());
    expect(decisionOf(await answer)).toBe('asked');
    expect(cache.size).toBe(0);
  });

  it('is worth nothing when the token was known to be dead before: a store that was rolled back says "live" again', async () => {
    const { cache, request, feed } = setUp();
    feed.tell({ kind: 'token', tokenHash: 't1', handle: 'h1', subject: 'u_1', ended: false });
    expect(await cache.identify(request(live))).toBe('ended');
    expect(cache.size).toBe(0);
  });

  it('is not kept after a logout at this very gateway', async () => {
    const { cache, request } = setUp();
    const question = held();
    const answer = cache.identify(request(question.ask));
    cache.forgetToken('t1');
    question.answer(live());
    expect(await answer).toBe('ended');
    expect(cache.size).toBe(0);
  });
});

describe('requests at the same time', () => {
  it('ask auth once for one token and audience', async () => {
    const { cache, request, asked } = setUp();
    const question = held();
    const answers = [1, 2, 3].map(() => cache.identify(request(question.ask)));
    question.answer(live());
    expect((await Promise.all(answers)).map(decisionOf)).toEqual(['asked', 'joined', 'joined']);
    expect(asked()).toBe(1);
  });

  it('do not join without the lease', async () => {
    const { cache, request, feed, asked } = setUp();
    feed.lease = false;
    const question = held();
    const answers = [1, 2].map(() => cache.identify(request(question.ask)));
    question.answer(live());
    expect((await Promise.all(answers)).map(decisionOf)).toEqual(['asked', 'asked']);
    expect(asked()).toBe(2);
  });

  it('ask for themselves when the lease was lost while they waited', async () => {
    const { cache, request, feed } = setUp();
    const question = held();
    const first = cache.identify(request(question.ask));
    const second = cache.identify(request(live));
    feed.lease = false;
    question.answer(live());
    expect([decisionOf(await first), decisionOf(await second)]).toEqual(['asked', 'asked']);
  });

  it('ask for themselves when what they waited for was flushed', async () => {
    const { cache, request, feed } = setUp();
    const question = held();
    const first = cache.identify(request(question.ask));
    const second = cache.identify(request(() => 'none'));
    feed.tell({ kind: 'distrust' });
    question.answer(live());
    expect(decisionOf(await first)).toBe('asked');
    expect(await second).toBe('ended');
  });

  it('never lend a sensitive answer: it may be cancelled with its request, and is not kept', async () => {
    const { cache, request, asked } = setUp();
    const question = held();
    const sensitive = cache.identify(request(question.ask, { sensitive: true }));
    expect(decisionOf(await cache.identify(request(live, { audience: 'profile' })))).toBe('asked');
    const usual = cache.identify(request(() => 'none'));
    expect(await usual).toBe('ended');
    question.answer(live());
    expect(await sensitive).toBe('ended');
    expect(asked()).toBe(3);
    const { cache: other, request: again } = setUp();
    await other.identify(again(live, { sensitive: true }));
    expect(other.size).toBe(0);
  });

  it('never join when they are sensitive', async () => {
    const { cache, request, asked } = setUp();
    const question = held();
    const usual = cache.identify(request(question.ask));
    const sensitive = cache.identify(request(live, { sensitive: true }));
    expect(decisionOf(await sensitive)).toBe('asked');
    question.answer(live());
    await usual;
    expect(decisionOf(await cache.identify(request(live, { sensitive: true })))).toBe('asked');
    expect(asked()).toBe(3);
  });

  it('never join and are never kept in mode reference', async () => {
    const { cache, request, asked } = setUp();
    const reference = (): Resolved => live({ mode: TokenMode.REFERENCE });
    const question = held();
    const answers = [cache.identify(request(question.ask)), cache.identify(request(reference))];
    question.answer(reference());
    expect((await Promise.all(answers)).map(decisionOf)).toEqual(['asked', 'asked']);
    expect(cache.size).toBe(0);
    // The cache knows the mode by now: two more requests at once do not even try to join.
    await Promise.all([cache.identify(request(reference)), cache.identify(request(reference))]);
    expect(asked()).toBe(4);
  });

  it('of a person do not join a question that does not touch', async () => {
    const { cache, request, asked } = setUp();
    const question = held();
    const stream = cache.identify(request(question.ask, { touch: false }));
    const person = cache.identify(request(question.ask, { touch: true }));
    question.answer(live());
    expect([decisionOf(await stream), decisionOf(await person)]).toEqual(['asked', 'asked']);
    expect(asked()).toBe(2);
  });

  it('wait no longer than their own patience', async () => {
    const { cache, request } = setUp();
    const question = held();
    const first = cache.identify(request(question.ask));
    const patience = (): Promise<'late'> => Promise.resolve('late');
    expect(decisionOf(await cache.identify(request(live, { patience })))).toBe('identity_unavailable');
    question.answer(live());
    expect(decisionOf(await first)).toBe('asked');
  });

  it('do not each ask again an auth that just failed', async () => {
    const { cache, request, asked } = setUp();
    const question = held();
    const answers = [1, 2, 3].map(() => cache.identify(request(question.ask)));
    question.answer(unavailable());
    expect((await Promise.all(answers)).map(decisionOf)).toEqual(Array(3).fill('identity_unavailable'));
    expect(asked()).toBe(1);
  });

  it('ask anew after a question that threw', async () => {
    const { cache, request } = setUp();
    const broken = request(() => Promise.reject(new Error('broken')));
    await expect(cache.identify(broken)).rejects.toThrow('broken');
    expect(decisionOf(await cache.identify(request(live)))).toBe('asked');
  });
});

describe('auth out of reach', () => {
  it.each(['connection_lost', 'unavailable', 'deadline_exceeded', 'internal'] as const)(
    'lets carts and reads use a passport that still lives: %s',
    async (code) => {
      const { cache, request, feed } = setUp();
      await cache.identify(request(() => live({ passport: 'kept' })));
      feed.lease = false;
      const answer = await cache.identify(request(() => problem(code)));
      expect(answer).toMatchObject({ decision: 'degraded', resolved: { passport: 'kept' } });
    },
  );

  it('refuses what is sensitive at once', async () => {
    const { cache, request } = setUp();
    await cache.identify(request(live));
    const answer = await cache.identify(request(unavailable, { sensitive: true }));
    expect(answer).toMatchObject({ problem: 'identity_unavailable', retryAfterS: expect.any(Number) });
  });

  it('ends the grace with the passport', async () => {
    const { cache, request, feed, clock } = setUp();
    await cache.identify(request(live));
    feed.lease = false;
    clock.aheadMs = passportLifeMs - 1_000;
    expect(decisionOf(await cache.identify(request(unavailable)))).toBe('identity_unavailable');
  });

  it('gives no grace to a session that is known to be revoked', async () => {
    const { cache, request, feed } = setUp();
    await cache.identify(request(live));
    feed.tell({ kind: 'token', tokenHash: 't1', handle: 'h1', subject: 'u_1', ended: true });
    expect(decisionOf(await cache.identify(request(unavailable)))).toBe('identity_unavailable');
  });

  it('says so when nothing is cached, and never makes a guest of anyone', async () => {
    const { cache, request } = setUp();
    expect(decisionOf(await cache.identify(request(unavailable)))).toBe('identity_unavailable');
  });

  it('passes on an answer that is no silence', async () => {
    const { cache, request } = setUp();
    await cache.identify(request(live));
    cache.forgetToken('t1');
    expect(decisionOf(await cache.identify(request(() => problem('forbidden'))))).toBe('forbidden');
  });
});

it('stops listening when it is closed', () => {
  const { cache, feed } = setUp();
  expect(feed.listeners).toBe(1);
  cache.close();
  expect(feed.listeners).toBe(0);
});
