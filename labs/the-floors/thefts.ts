/** A thief of one thing, and all that it opens. Each is tried at a gateway: as it is, and again after its owner has signed out. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createPrivateKey, type JsonWebKey } from 'node:crypto';
import { accessTokenAudience, accessTokenClient, accessTokenIssuer, accessTokenLifetimeMaxS, signAccessToken } from '@cloakroom/identity';
import { Redis } from 'ioredis';
import { openSealer } from '../../apps/auth/src/tokens/sealed.ts';
import { align } from '../../infra/cli/status.ts';
import { keyEncryptionKey } from '../../infra/launch/secrets.ts';
import { portsOf } from '../../infra/stack/stack.ts';
import { signIn, type Mode, type Person } from '../bench/measuring/people.ts';
import type { World } from '../bench/measuring/world.ts';
import { requests, type Class } from './stage.ts';

const locked = ['cart', 'personal', 'sensitive'] as const satisfies readonly Class[];
/** The promise of the feed where all is well is far below this, and the lease bounds it otherwise. */
const heardWithinMs = 3_000;
const lookAgainMs = 50;
/** Every string of a dump that may be a secret: tokens, hashes, handles and keys are of this form. */
const secretPattern = /[A-Za-z0-9_.-]{20,1100}/g;

export interface Theft {
  readonly thing: string;
  readonly tried: number;
  readonly opens: readonly Class[];
  /** Classes that it still opens once its owner has signed out and everyone has heard. */
  readonly after: readonly Class[];
}

/** Cookie headers to try, and a way to end what they were made of. */
interface Stolen {
  readonly thing: string;
  readonly cookies: readonly string[];
  readonly end: () => Promise<void>;
}

export async function tryThefts(world: World, person: Person): Promise<Theft[]> {
  const found: Theft[] = [];
  for (const steal of [
    cookie('reference'),
    cookie('hybrid'),
    oneOf('access token', 'jwt-denylist', '__Host-access'),
    oneOf('access token', 'jwt', '__Host-access'),
    oneOf('refresh token', 'jwt-denylist', '__Host-refresh'),
    redisDump,
    databaseDump,
    signingKey,
  ]) {
    const { thing, cookies, end } = await steal(world, person);
    const opens = await opened(world, cookies);
    await end();
    found.push({ thing, tried: cookies.length, opens, after: await openedAtLast(world, cookies, opens) });
  }
  return found;
}

type Steal = (world: World, person: Person) => Promise<Stolen>;

const cookie =
  (mode: Mode): Steal =>
  async (world, person) => {
    const made = (await signIn(world.gateways[0], person, mode))!;
    return { thing: `session cookie (${mode})`, cookies: [only(made, '__Host-session')], end: () => signOut(world, made) };
  };

const oneOf =
  (thing: string, mode: Mode, name: string): Steal =>
  async (world, person) => {
    const made = (await signIn(world.gateways[0], person, mode))!;
    return { thing: `${thing} (${mode})`, cookies: [only(made, name)], end: () => signOut(world, made) };
  };

const redisDump: Steal = async (world, person) => {
  const made = (await signIn(world.gateways[0], person, 'hybrid'))!;
  const redis = new Redis(portsOf(world.base).redisSessions, '127.0.0.1');
  try {
    const texts: string[] = [];
    for (const key of await redis.keys('*')) texts.push(key, (await redis.get(key).catch(() => undefined)) ?? '');
    return { thing: 'dump of the sessions’ Redis', cookies: triesOf(texts), end: () => signOut(world, made) };
  } finally {
    redis.disconnect();
  }
};

const databaseDump: Steal = async (world, person) => {
  const made = (await signIn(world.gateways[0], person, 'hybrid'))!;
  const texts = read(world, (database) => {
    const tables = database.prepare("select name from sqlite_master where type = 'table'").all() as { name: string }[];
    const rows = tables.flatMap(({ name }) => database.prepare(`select * from "${name}"`).all() as Record<string, unknown>[]);
    return rows.flatMap((row) => Object.values(row)).filter((value): value is string => typeof value === 'string');
  });
  return { thing: 'dump of auth’s database', cookies: triesOf(texts), end: () => signOut(world, made) };
};

/** The key alone, out of its seal: what the seal keeps from a thief of the dump. */
const signingKey: Steal = async (world, person) => {
  const row = read(
    world,
    (database) =>
      database.prepare("select kid, private_jwk from signing_keys where state = 'active'").get() as { kid: string; private_jwk: string },
  );
  const jwk = openSealer(keyEncryptionKey(world.dataDir)).open(row.private_jwk, `signing-key:${row.kid}`);
  const key = { kid: row.kid, privateKey: createPrivateKey({ key: JSON.parse(jwk) as JsonWebKey, format: 'jwk' }) };
  return { thing: 'signing key', cookies: [`__Host-access=${forged(key, person)}`], end: () => Promise.resolve() };
};

/** A token for somebody who never signed in. */
function forged(key: Parameters<typeof signAccessToken>[1], { email }: Person): string {
  const iat = Math.floor(Date.now() / 1_000);
  const exp = iat + accessTokenLifetimeMaxS;
  const who = {
    sub: `u_${randomUUID()}`,
    sid: randomUUID(),
    gen: 0,
    epoch: 0,
    gepoch: 0,
    state: 'user',
    mode: 'jwt',
    name: 'Forged',
    email,
  } as const;
  const proof = { acr: 'aal1', amr: ['pwd'], auth_time: iat, region: 'local' };
  const times = { iat, exp, created: iat, idle_exp: exp, abs_exp: exp, cart: '' };
  return signAccessToken(
    { iss: accessTokenIssuer, aud: accessTokenAudience, client_id: accessTokenClient, jti: randomUUID(), ...who, ...proof, ...times },
    key,
  );
}

function read<Found>(world: World, work: (database: DatabaseSync) => Found): Found {
  const database = new DatabaseSync(join(world.dataDir, 'db', 'auth.sqlite'), { readOnly: true });
  try {
    return work(database);
  } finally {
    database.close();
  }
}

const triesOf = (texts: readonly string[]): string[] => {
  const words = new Set(texts.flatMap((text) => text.match(secretPattern) ?? []));
  return [...words].flatMap((word) => ['__Host-session', '__Host-access', '__Host-refresh'].map((name) => `${name}=${word}`));
};

const only = (cookies: string, name: string): string => {
  const found = cookies.split('; ').find((one) => one.startsWith(`${name}=`));
  if (found === undefined) throw new Error(`no cookie ${name}`);
  return found;
};

async function signOut({ gateways: [gateway] }: World, made: string): Promise<void> {
  const headers = { origin: gateway, 'content-type': 'application/json', cookie: made };
  const { status } = await fetch(`${gateway}/api/session/logout`, { method: 'POST', headers, body: '{}' });
  if (status !== 204) throw new Error(`the sign-out got ${status}`);
}

/** `GET /api/session` answers everybody; it opens something where it names a user. */
async function opened({ gateways: [gateway] }: World, cookies: readonly string[]): Promise<Class[]> {
  const opens = new Set<Class>();
  for (const cookie of cookies) {
    for (const name of locked) {
      const answer = await fetch(gateway + requests[name], { headers: { cookie } });
      const text = await answer.text();
      if (answer.status === 200 && (name !== 'personal' || (JSON.parse(text) as { state?: string }).state === 'user')) opens.add(name);
    }
  }
  return locked.filter((name) => opens.has(name));
}

async function openedAtLast(world: World, cookies: readonly string[], opens: readonly Class[]): Promise<readonly Class[]> {
  const giveUpMs = performance.now() + heardWithinMs;
  let left = opens;
  while (left.length > 0 && performance.now() < giveUpMs) {
    left = await opened(world, cookies);
    if (left.length > 0) await new Promise((resolve) => setTimeout(resolve, lookAgainMs));
  }
  return left;
}

export function describeThefts(thefts: readonly Theft[]): string {
  const words = (found: readonly Class[]): string => (found.length === 0 ? 'nothing' : found.join(', '));
  const rows = thefts.map(({ thing, tried, opens, after }) => [thing, String(tried), words(opens), opens.length === 0 ? '' : words(after)]);
  return align([['stolen', 'tried', 'opens', 'after its owner signed out'], ...rows]).join('\n');
}
