/**
 * Asks for one operation while a part is gone, and compares the answer with the table. `expectSound` checks what holds in every cell:
 * - no answer hangs, and none is a raw 500
 * - a refusal says so in a problem with Retry-After
 * - no cookie is lost or exchanged
 * - a person who is served is still the same person
 */
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from '@playwright/test';
import { newPerson, type Person } from '../kit/device.ts';
import { addition, type Crowd, type Goods, type Holder, type Mode } from './crowd.ts';
import {
  errorTable,
  type Gone,
  type FailureOperation as Operation,
  failureOperations as operations,
  type FailureOutcome as Outcome,
  failureOutcomeOf as outcomeOf,
  failureOutcomes as outcomes,
} from '@cloakroom/contracts';
import { type Seen, sessionCookies, Visitor } from './visitor.ts';

const statusOf: Readonly<Record<Operation, number>> = {
  public: 200,
  cartRead: 200,
  cartWrite: 202,
  session: 200,
  profileRead: 200,
  profileWrite: 200,
  ordersRead: 200,
  streamOpened: 200,
  streamOpen: 200,
  sensitive: 200,
  checkOut: 201,
  login: 200,
  register: 201,
  logout: 204,
};
/** A longer Retry-After helps no client. */
const retryAfterMaxS = 10;
/** Two checks of the session by a stream, and the time that they may take. */
const streamPatienceMs = 5_000;

export interface Command {
  readonly holder: Holder;
  readonly body: ReturnType<typeof addition>;
  readonly accepted: boolean;
}

/** The requests made while the part was gone. They are looked at again when it is back. */
export interface Asked {
  readonly commands: Command[];
  readonly logins: { readonly holder: Holder; readonly accepted: boolean }[];
  readonly logouts: { readonly holder: Holder; readonly accepted: boolean }[];
  readonly registrations: { readonly person: Person; readonly accepted: boolean }[];
}

export async function probe(gone: Gone, crowd: Crowd, goods: Goods, gateways: readonly [string, string]): Promise<Asked> {
  const asked: Asked = { commands: [], logins: [], logouts: [], registrations: [] };
  await Promise.all([
    ...crowd.holders.map((holder) => probeHolder(gone, holder, goods, asked)),
    ...crowd.streams.map(({ holder, stream }) => probeStream(gone, holder, stream)),
    ...crowd.ended.map((holder) => probeEnded(holder, goods, gateways)),
  ]);
  await Promise.all([
    ...crowd.arriving.map(({ holder, person, mode }) => probeLogin(gone, holder, person, mode, asked)),
    ...crowd.leaving.map((holder) => probeLogout(gone, holder, asked)),
    ...gateways.map((gateway) => probeRegister(gone, gateway, asked)),
  ]);
  return asked;
}

async function probeHolder(gone: Gone, holder: Holder, { counted }: Goods, asked: Asked): Promise<void> {
  const { visitor, gateway, column } = holder;
  const ask = (operation: Operation, body?: unknown) =>
    askFor(outcomeOf(gone, operation, column), () =>
      visitor.call(gateway, operations[operation].request, operations[operation].budgetMs, body),
    );
  const hold = (operation: Operation, seen: Seen) => expectCell(outcomeOf(gone, operation, column), operation, seen, holder);

  hold('public', await ask('public'));
  hold('cartRead', await (outcomeOf(gone, 'cartRead', column) === 'stale' ? untilStale(ask) : ask('cartRead')));
  const command = addition(counted);
  const written = await ask('cartWrite', command);
  asked.commands.push({ holder, body: command, accepted: written.status === 202 });
  hold('cartWrite', written);
  hold('session', await ask('session'));
  hold('profileRead', await ask('profileRead'));
  hold('profileWrite', await ask('profileWrite', { preferences: { theme: 'dark' } }));
  hold('streamOpened', await askFor(outcomeOf(gone, 'streamOpened', column), () => seeStreamOpen(holder)));
  // A guest has no sensitive operation.
  if (holder.order === undefined) return;
  hold('ordersRead', await ask('ordersRead'));
  hold('sensitive', await ask('sensitive'));
  hold('checkOut', await askFor(outcomeOf(gone, 'checkOut', column), () => checkOut(holder)));
}

/** It is the same order each time: the holder has one key. */
export function checkOut({ visitor, gateway, order }: Holder): Promise<Seen> {
  const { request, budgetMs } = operations.checkOut;
  return visitor.call(gateway, request, budgetMs, order!.body, { 'idempotency-key': order!.key });
}

/**
 * How often an operation may answer "come again", or too late, because the machine is busy. One that should be refused by another part is asked
 * again only if auth kept it from that part.
 */
const busyCountMax = 8;

async function askFor(expected: Outcome, ask: () => Promise<Seen>): Promise<Seen> {
  let seen = await ask();
  const isInTheWay = serves.has(expected) ? isBusy : isUnidentified(expected);
  for (let busy = 1; busy < busyCountMax && isInTheWay(seen); busy++) {
    // A breaker that opened on slow answers refuses at once until it tries auth again, so asking without a pause would ask nobody.
    const restS = Math.min(Number(seen.headers.get('retry-after') ?? 0), retryAfterMaxS);
    await delay(restS * 1_000); // not a wait: a client does what Retry-After says
    seen = await ask();
  }
  return seen;
}

const serves: ReadonlySet<Outcome> = new Set(['works', 'degraded', 'stale', 'merging']);
const isBusy = ({ status, headers }: Seen): boolean => status === 503 || status === 504 || headers.has('x-session-view');

const isUnidentified =
  (expected: Outcome) =>
  ({ body }: Seen): boolean => {
    const outcome = outcomes[expected];
    const codes: readonly string[] = 'codes' in outcome ? outcome.codes : [];
    return codes.length > 0 && !codes.includes('identity_unavailable') && body?.code === 'identity_unavailable';
  };

/** The cart service marks reads as stale once the log has been silent for 2 s. */
async function untilStale(ask: (operation: 'cartRead') => Promise<Seen>): Promise<Seen> {
  let seen = await ask('cartRead');
  const untilMs = performance.now() + 5_000;
  while (seen.status === 200 && seen.body.stale !== true && performance.now() < untilMs) seen = await ask('cartRead');
  return seen;
}

async function seeStreamOpen({ visitor, gateway }: Holder): Promise<Seen> {
  const stream = await visitor.openStream(gateway, operations.streamOpened.budgetMs);
  stream.close();
  return stream.seen;
}

async function probeStream(gone: Gone, holder: Holder, stream: Crowd['streams'][number]['stream']): Promise<void> {
  const timer = new AbortController();
  const late = new Promise<void>((resolve) => {
    const timeout = setTimeout(resolve, streamPatienceMs);
    timer.signal.addEventListener('abort', () => clearTimeout(timeout));
  });
  await Promise.race([stream.ended, late]);
  timer.abort();
  const expected = outcomeOf(gone, 'streamOpen', holder.column);
  if (expected === 'staysOpen' && holder.mode === 'reference' && !stream.isOpen()) {
    // The stream asks auth at each check, and a late answer ends it. A browser opens the next stream then, after the rest that a refusal asks for.
    const again = await askFor('works', () => seeStreamOpen(holder));
    expect.soft(again.status, `${cellName('streamOpen', holder)}: opens again: ${JSON.stringify(again.body)}`).toBe(200);
    return;
  }
  expect.soft(stream.isOpen() ? 'staysOpen' : 'ends', cellName('streamOpen', holder)).toBe(expected);
}

/** A session that was ended before can write nothing now, except in `jwt`: there the bound is the life of the token. */
async function probeEnded(holder: Holder, { counted }: Goods, gateways: readonly string[]): Promise<void> {
  for (const gateway of gateways) {
    const { request, budgetMs } = operations.cartWrite;
    const seen = await holder.visitor.copy().call(gateway, request, budgetMs, addition(counted));
    expectSound('cartWrite', seen, `${holder.mode}, signed out before`);
    const allowed = holder.mode === 'jwt' ? [202, 401, 503] : [401, 503];
    expect.soft(allowed, `${holder.mode}, signed out before, writes at ${gateway}: ${seen.status}`).toContain(seen.status);
    if (seen.status === 401) expect.soft(seen.body.code).toBe('session_ended');
  }
}

async function probeLogin(gone: Gone, holder: Holder, person: Person, mode: Mode, asked: Asked): Promise<void> {
  const { request, budgetMs } = operations.login;
  const body = { email: person.email, password: person.password, mode };
  const seen = await askFor(outcomeOf(gone, 'login', 'none'), () => holder.visitor.call(holder.gateway, request, budgetMs, body));
  const accepted = seen.status === 200;
  asked.logins.push({ holder, accepted });
  expectCell(outcomeOf(gone, 'login', 'none'), 'login', seen, { ...holder, mode, name: `guest who signs in, ${mode}` });
  if (!accepted) return;
  expect.soft(seen.body.user.email, 'signed in as oneself').toBe(person.email);
  expect.soft(seen.body.merge, 'the guest cart is claimed').toEqual({ state: 'pending', from: holder.cartId });
}

async function probeLogout(gone: Gone, holder: Holder, asked: Asked): Promise<void> {
  const { request, budgetMs } = operations.logout;
  const visitor = holder.visitor.copy();
  // A sign-out may be asked for again. On a busy machine its store may answer too late, after the database has noted it.
  const seen = await askFor(outcomeOf(gone, 'logout', 'none'), () => visitor.call(holder.gateway, request, budgetMs));
  asked.logouts.push({ holder, accepted: seen.status === 204 });
  expectCell(outcomeOf(gone, 'logout', 'none'), 'logout', seen, holder);
}

async function probeRegister(gone: Gone, gateway: string, asked: Asked): Promise<void> {
  const { request, budgetMs } = operations.register;
  const person = newPerson();
  const seen = await askFor(outcomeOf(gone, 'register', 'none'), () => new Visitor().call(gateway, request, budgetMs, person));
  asked.registrations.push({ person, accepted: seen.status === 201 });
  expectSound('register', seen, 'somebody new');
  const expected = outcomeOf(gone, 'register', 'none');
  expect.soft(said('register', seen, false), 'register').toBe(expectedWord(expected, seen));
}

export const cellName = (operation: Operation, { name }: { readonly name: string }): string => `${operations[operation].title}, ${name}`;

function expectCell(expected: Outcome, operation: Operation, seen: Seen, holder: Holder): void {
  const cell = cellName(operation, holder);
  expectSound(operation, seen, cell);
  const spoken = said(operation, seen, expected === 'guestView' && holder.refreshOnly);
  const word = expected === 'degraded' && spoken === 'works' && isDegraded(seen) ? 'degraded' : spoken;
  expect
    .soft(word, `${cell}: ${JSON.stringify(seen.body)?.slice(0, 300)} ${seen.headers.get('server-timing')}`)
    .toBe(expectedWord(expected, seen));
  if (seen.status < 300) expectSamePerson(operation, seen, holder, cell);
}

/** The name of the expected outcome. Where several codes are right it is the code that came. */
function expectedWord(expected: Outcome, seen: Seen): string {
  const outcome = outcomes[expected];
  if ('codes' in outcome)
    return (outcome.codes as readonly string[]).includes(seen.body?.code) ? (seen.body.code as string) : outcome.codes.join(' or ');
  if (expected === 'merging') return 'works';
  return expected;
}

/** The answer in the table's words. */
function said(operation: Operation, seen: Seen, guestViewIsSilent: boolean): string {
  if (seen.status !== statusOf[operation]) return (seen.body?.code as string | undefined) ?? String(seen.status);
  if (operation === 'public' && (seen.headers.has('x-session-view') || guestViewIsSilent)) return 'guestView';
  if (operation === 'cartRead' && seen.body.stale === true) return 'stale';
  return 'works';
}

const isDegraded = (seen: Seen): boolean => /session;dur=[\d.]+;desc="\S+ degraded"/.test(seen.headers.get('server-timing') ?? '');

function expectSound(operation: Operation, seen: Seen, cell: string): void {
  const limitMs = operations[operation].budgetMs + seen.graceMs;
  expect.soft(seen.tookMs, `${cell}: answers within its budget and a second`).toBeLessThan(limitMs);
  expect.soft(seen.status, `${cell}: no raw server error: ${JSON.stringify(seen.body)}`).not.toBe(500);
  if (seen.status >= 400) {
    expect.soft(seen.headers.get('content-type'), cell).toBe('application/problem+json');
    expect.soft(errorTable, cell).toHaveProperty(seen.body.code as string);
  }
  if (seen.status === 503) {
    const retryAfterS = Number(seen.headers.get('retry-after'));
    expect.soft(retryAfterS >= 1 && retryAfterS <= retryAfterMaxS, `${cell}: Retry-After ${seen.headers.get('retry-after')}`).toBe(true);
    expect.soft(seen.body.retryAfter, cell).toBe(retryAfterS);
  }
  expectCookiesKept(operation, seen, cell);
}

const changesSession: ReadonlySet<Operation> = new Set(['login', 'register', 'logout']);

/**
 * No cookie is cleared, and no cookie of another session is set. A self-contained session may have been renewed on the way, also
 * by a refusal, but it stays the same session.
 */
function expectCookiesKept(operation: Operation, seen: Seen, cell: string): void {
  if (changesSession.has(operation) && seen.status < 300) return;
  const set = seen.setCookies.filter(({ name }) => sessionCookies.includes(name));
  const renewed = set.filter(({ name, value }) => name !== '__Host-session' && value !== '');
  expect.soft(set, `${cell}: no cookie is cleared, no new guest begins`).toEqual(renewed);
  for (const { name, value } of renewed)
    if (name === '__Host-refresh') expect.soft(handleOf(value), `${cell}: renewed as the same session`).toBe(handleOf(seen.sent.get(name)));
}

/** r1.<region>.<tag>.<handle>.<n>.<mac> */
const handleOf = (refresh: string | undefined): string | undefined => refresh?.split('.')[3];

function expectSamePerson(operation: Operation, seen: Seen, holder: Holder, cell: string): void {
  const same = (found: unknown, expected: unknown) => expect.soft(found, `${cell}: is who they were`).toBe(expected);
  if (operation === 'cartRead') same(seen.body.cartId, holder.cartId);
  if (operation === 'session') {
    same(seen.body.state, holder.email === undefined ? 'guest' : 'user');
    same(seen.body.user?.email, holder.email);
  }
  if (operation === 'profileRead' || operation === 'profileWrite') same(seen.body.email, holder.email);
}
