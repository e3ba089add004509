/** Sessions for the generator, made as a browser does: by registering and signing in at the gateway. */
import { setTimeout as delay } from 'node:timers/promises';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { type TokenModeName, tokenModeNames } from '@cloakroom/contracts';
import { createLogger } from '@cloakroom/platform';
import { openRedis, redisReady } from '@cloakroom/platform/redis';
import {
  limits,
  makeToken,
  type NewSession,
  readMacKeys,
  RedisSessionStore,
  secretBytes,
  StoreUnavailable,
  tagFrom,
  type TokenKey,
  type TokenMode,
  userSession,
} from '@cloakroom/session';

/** All modes there are. A sign-in tells which of them this build and this operator allow. */
export const modes = tokenModeNames;
export type Mode = TokenModeName;

export interface Person {
  readonly email: string;
  readonly password: string;
}

export type Headers = Record<string, string>;

const password = 'correct horse battery staple';

async function post(gateway: string, path: string, body: unknown, headers: Headers = {}): Promise<Response> {
  return fetch(gateway + path, {
    method: 'POST',
    headers: { origin: gateway, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

export async function register(gateway: string, count: number): Promise<Person[]> {
  const run = randomUUID().slice(0, 8);
  const people: Person[] = Array.from({ length: count }, (_, index) => ({ email: `bench-${run}-${index}@example.com`, password }));
  // One after the other: hashing is bounded on purpose, and a long queue would be refused in the end.
  for (const person of people) {
    const answer = await post(gateway, '/api/session/register', { ...person, name: 'Bench Person' });
    if (answer.status !== 201) throw new Error(`register: ${answer.status} ${await answer.text()}`);
  }
  return people;
}

/** @returns the Cookie header of a new session; undefined where this mode is not allowed */
export async function signIn(gateway: string, person: Person, mode: Mode): Promise<string | undefined> {
  const answer = await post(gateway, '/api/session/login', { ...person, mode });
  if (answer.status === 400) return undefined;
  if (answer.status !== 200) throw new Error(`login as ${mode}: ${answer.status} ${await answer.text()}`);
  const told = (await answer.json()) as { mode?: string };
  return told.mode === mode ? cookiesOf(answer) : undefined;
}

export function cookiesOf(answer: Response): string {
  return answer.headers
    .getSetCookie()
    .map((cookie) => cookie.split(';', 1)[0]!)
    .join('; ');
}

export async function signInAll(gateway: string, people: readonly Person[], mode: Mode): Promise<Headers[] | undefined> {
  const list: Headers[] = [];
  for (const person of people) {
    const cookie = await signIn(gateway, person, mode);
    if (cookie === undefined) return undefined;
    list.push({ cookie });
  }
  return list;
}

export interface MadeSession {
  readonly cookie: string;
  readonly token: string;
  readonly subject: string;
}

/** Writes guests' sessions straight into the store: thousands in a second. At the gateway each would take a request. */
export async function makeGuests(redisUrl: string, macKey: string, count: number, mode: TokenMode = 'hybrid'): Promise<MadeSession[]> {
  const redis = openRedis({ url: redisUrl, name: 'bench', log: createLogger('bench', 'silent') });
  await redisReady(redis);
  const store = new RedisSessionStore(redis);
  const keys = readMacKeys(macKey);
  const nowMs = Date.now();
  const made: MadeSession[] = [];
  const one = async (): Promise<void> => {
    const { token, key } = makeToken({ region: 'local', tag: tagFrom(randomBytes(2)), secret: randomBytes(secretBytes) }, keys);
    const subject = `g_${randomUUID()}`;
    await create(store, guestSession(key, subject, mode, nowMs), nowMs);
    made.push({ cookie: `__Host-session=${token}`, token, subject });
  };
  for (let left = count; left > 0; left -= batchCount) await Promise.all(Array.from({ length: Math.min(left, batchCount) }, one));
  await store.close();
  return made;
}

/** This is preparation and not measured. Right after a stack's start the store may get no processor for a moment; it is asked again. */
async function create(store: RedisSessionStore, session: NewSession, nowMs: number): Promise<void> {
  const giveUpMs = performance.now() + createTimeoutMs;
  for (;;) {
    try {
      await store.create(session, 1, nowMs);
      return;
    } catch (error) {
      if (!(error instanceof StoreUnavailable) || performance.now() > giveUpMs) throw error;
      // A broken connection refuses at once. Without a pause the loop would block the event loop, and the connection could not come back.
      await delay(retryDelayMs);
    }
  }
}

/** Long enough for some dozens of attempts that end in the store's own time-out. */
const createTimeoutMs = 30_000;
const retryDelayMs = 50;

/** Sessions in flight at once: enough to fill a batch of the client, few enough for its time-outs. */
const batchCount = 50;

/** A session as auth makes it: `userSession` has a value for every field. */
export function guestSession(key: TokenKey, subject: string, mode: TokenMode, nowMs: number): NewSession {
  return userSession(key.hash, {
    ...key,
    subject,
    handle: `h_${createHash('sha256').update(key.hash).digest('base64url').slice(0, 22)}`,
    state: 'guest',
    mode,
    epoch: 0,
    createdAtMs: nowMs,
    authenticatedAtMs: 0,
    lastSeenAtMs: nowMs,
    idleExpiresAtMs: nowMs + limits.guest.idleTimeoutMs,
    expiresAtMs: nowMs + limits.guest.absoluteTimeoutMs,
    device: 'Firefox on Linux',
  });
}
