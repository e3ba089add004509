import { observed } from '@cloakroom/contracts';
import { expect, it } from 'vitest';
import type { StoredSpan } from '../span.ts';
import { homeOf, sessionEnd, sessionsOf, sessionSteps } from './session-steps.ts';

const span = (startMs: number, attributes: StoredSpan['attributes']): StoredSpan => ({
  traceId: 't',
  spanId: `s${startMs}`,
  parentId: undefined,
  name: 'identity',
  kind: 'internal',
  startMs,
  endMs: startMs + 1,
  failure: undefined,
  service: 'gateway',
  attributes,
  links: [],
});

it('a session’s lifeline is what named its handle, in order of time', () => {
  const steps = sessionSteps(
    [
      span(20, { [observed.session]: 'mine', 'cloakroom.identity.decision': 'hybrid hit', [observed.leaseAgeMs]: 120 }),
      span(15, { [observed.session]: 'another' }),
      span(10, { [observed.session]: 'mine', [observed.mode]: 'hybrid' }),
    ],
    'mine',
    () => 'gateway-1',
  );
  expect(steps).toMatchObject([
    { atMs: 10, place: 'gateway-1', mode: 'hybrid', decision: undefined },
    { atMs: 20, decision: 'hybrid hit', leaseAgeMs: 120 },
  ]);
});

it('a trainee’s sessions are those of the own requests, the last used first, with what is newest about each', () => {
  const of = (session: string, more = {}) => ({ [observed.session]: session, [observed.experiment]: 'ada', ...more });
  const spans = [
    span(10, of('phone', { [observed.subject]: 'u_ada', [observed.mode]: 'hybrid' })),
    span(20, of('laptop', { [observed.subject]: 'g_1', [observed.mode]: 'hybrid' })),
    span(30, of('laptop', { [observed.subject]: 'u_ada' })),
    span(40, { [observed.session]: 'of-bob', [observed.experiment]: 'bob' }),
    span(50, { [observed.experiment]: 'ada' }),
  ];
  expect(sessionsOf(spans, 'ada')).toEqual([
    { handle: 'laptop', subject: 'u_ada', mode: 'hybrid', lastAtMs: 30, ended: false },
    { handle: 'phone', subject: 'u_ada', mode: 'hybrid', lastAtMs: 10, ended: false },
  ]);
});

it('each step names the request in which it happened: the one above it, else the first of its trace', () => {
  const request = (startMs: number, name: string) => ({
    ...span(startMs, { 'http.route': '/x', [observed.session]: 'mine' }),
    kind: 'server' as const,
    name,
  });
  const decided = (startMs: number, parentId: string | undefined) => ({
    ...span(startMs, { [observed.session]: 'mine', 'cloakroom.identity.decision': 'hybrid hit' }),
    parentId,
  });
  const spans = [request(10, 'POST /x'), request(30, 'GET /y'), decided(11, 's10'), decided(31, 's30'), decided(40, 'elsewhere')];
  const steps = sessionSteps(spans, 'mine', () => 'gateway-1');
  expect(steps.map((step) => step.request)).toEqual(['POST /x', 'POST /x', 'GET /y', 'GET /y', 'POST /x']);
  expect(sessionSteps([decided(5, undefined)], 'mine', () => '')[0]!.request).toBeUndefined();
});

it('a guest’s session that a sign-in ended says which user’s session came after it, and one that was signed out says none', () => {
  const guest = (handle: string) => span(10, { [observed.session]: handle, [observed.subject]: 'g_1', [observed.experiment]: 'ada' });
  const login = {
    ...span(20, { [observed.session]: 'user', [observed.subject]: 'u_ada', [observed.experiment]: 'ada' }),
    traceId: 'login',
  };
  const logout = { ...span(30, { [observed.session]: 'left', [observed.experiment]: 'ada' }), traceId: 'logout' };
  const told = { ...span(40, { [observed.sessionsEnded]: 'guest login, left logout' }), traceId: 'batch' };
  const sessions = sessionsOf([guest('guest'), guest('left'), login, logout, told], 'ada');
  expect(Object.fromEntries(sessions.map(({ handle, ended, becameHandle }) => [handle, [ended, becameHandle]]))).toEqual({
    guest: [true, 'user'],
    left: [true, undefined],
    user: [false, undefined],
  });
});

it('a session that a trainee’s request ended is among the trainee’s, also where the log told it in a batch of another trace', () => {
  const spans = [
    span(10, { [observed.session]: 'other-window', [observed.subject]: 'u_ada', [observed.mode]: 'jwt' }),
    span(11, { [observed.session]: 'of-bob', [observed.subject]: 'u_bob' }),
    { ...span(20, { [observed.session]: 'mine', [observed.experiment]: 'ada' }), traceId: 'adas' },
    { ...span(30, { [observed.sessionsEnded]: 'other-window adas, of-bob bobs' }), traceId: 'batch' },
  ];
  expect(sessionsOf(spans, 'ada')).toEqual([
    { handle: 'mine', subject: undefined, mode: undefined, lastAtMs: 20, ended: false },
    { handle: 'other-window', subject: 'u_ada', mode: 'jwt', lastAtMs: 10, ended: true },
  ]);
});

it('the stopwatch runs from the answer of the request that ended the session, to each process that heard and the last that believed', () => {
  const route = { 'http.route': '/api/session/devices' };
  const heard = (startMs: number, ended: boolean) =>
    span(startMs, { [observed.session]: 'mine', [observed.sessionEnded]: ended, [observed.app]: `s${startMs}` });
  const spans = [
    { ...span(5, { [observed.session]: 'mine', 'cloakroom.identity.decision': 'hybrid hit' }), traceId: 'before' },
    { ...span(90, route), kind: 'server' as const, endMs: 100 },
    heard(111, true),
    heard(97, true),
    { ...span(104, { [observed.session]: 'mine', 'cloakroom.identity.decision': 'hybrid hit' }), traceId: 'late' },
    { ...span(130, { [observed.session]: 'mine', 'cloakroom.identity.decision': 'ended' }), traceId: 'refused' },
  ];
  expect(sessionEnd(spans, 'mine', ({ attributes }) => String(attributes[observed.app] ?? 'gateway-1'))).toEqual({
    atMs: 100,
    traceId: 't',
    heard: [
      { place: 's97', afterMs: -2 },
      { place: 's111', afterMs: 12 },
    ],
    lastAccepted: { place: 'gateway-1', name: 'identity', afterMs: 4 },
  });
});

it('the stopwatch of each of several sessions runs that one batch of the feed names, from the request that ended it', () => {
  const answered = (traceId: string, endMs: number) => ({
    ...span(endMs - 10, { 'http.route': '/api/session/logout' }),
    kind: 'server' as const,
    endMs,
    traceId,
  });
  const batch = {
    ...span(111, { [observed.session]: 'third', [observed.sessionEnded]: false, [observed.sessionsEnded]: 'first t1, second t2' }),
    traceId: 'batch',
  };
  const spans = [answered('t1', 100), answered('t2', 105), batch];
  expect(['first', 'second', 'third'].map((handle) => sessionEnd(spans, handle, () => 'gateway-1'))).toMatchObject([
    { traceId: 't1', heard: [{ place: 'gateway-1', afterMs: 12 }] },
    { traceId: 't2', heard: [{ afterMs: 7 }] },
    undefined,
  ]);
});

it('a session whose token was only replaced has no end', () => {
  const replaced = span(20, { [observed.session]: 'mine', [observed.sessionEnded]: false });
  const login = { ...span(10, { 'http.route': '/api/session/login' }), kind: 'server' as const };
  expect(sessionEnd([login, replaced], 'mine', () => 'auth')).toBeUndefined();
});

it('a session lives where auth looked it up in its own store, and nothing says where while there is one region', () => {
  const spans = [
    span(10, { [observed.session]: 'abroad', [observed.experiment]: 'ada', [observed.region]: 'us' }),
    span(11, { [observed.session]: 'abroad', [observed.sessionTag]: 'beef', [observed.region]: 'eu' }),
    span(12, { [observed.session]: 'alone', [observed.experiment]: 'ada', [observed.sessionTag]: 'cafe' }),
  ];
  expect(sessionsOf(spans, 'ada').map(({ handle, home }) => [handle, home])).toEqual([
    ['alone', undefined],
    ['abroad', 'eu'],
  ]);
  expect([homeOf(spans, 'abroad'), homeOf(spans, 'unknown')]).toEqual(['eu', undefined]);
});
