/**
 * A person's passport, got as a person would get in: a session that begins over the public API. The public API gives no passports, because they live
 * between gateway and services. So the token of that session is traded at auth by `Resolve`, whose policy names the caller `developer`.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AuthService, deciderOf, isProblem } from '@cloakroom/contracts';
import { connectMesh } from '@cloakroom/mesh';
import { createLogger, startTrace } from '@cloakroom/platform';
import type { RunningShop } from '../cli/running-shop.ts';
import { StackError } from '../stack/outcome.ts';
import { regionNames } from '../stack/stack.ports.ts';
import { askPassword } from './ask-password.ts';

/** auth answers within a second or not at all. */
const resolveBudgetMs = 1_000;
/** Signing in hashes a password on purpose slowly, and may wait behind others. */
const signInTimeoutMs = 10_000;

export interface Passports {
  /** In words: the e-mail, and whether the account is a throw-away one. */
  readonly account: string;
  issue(audience: string): Promise<string>;
  /** Signs out. */
  end(): Promise<void>;
}

interface Account {
  readonly email: string;
  readonly password: string;
}

/** @param email of a person whose password is asked for; undefined takes the throw-away account of this shop. @throws StackError */
export async function openPassports(shop: RunningShop, email: string | undefined): Promise<Passports> {
  const { gateway } = shop;
  const { session, account } = email === undefined ? await throwAway(shop) : await person(gateway, email);
  return {
    account,
    issue: (audience) => resolve(shop, session.token, audience),
    end: async () => void (await post(gateway, '/api/session/logout', {}, session.cookie)),
  };
}

async function person(gateway: string, email: string) {
  const answer = await post(gateway, '/api/session/login', { email, password: await askPassword(`Password of ${email}: `) });
  if (answer.status !== 200) throw await refused(answer, `${email} could not sign in`);
  return { session: sessionOf(answer), account: email };
}

/** An address that its region decides, so that the account can be made while the ocean is cut. */
function newEmail(region: string | undefined): string {
  for (;;) {
    const email = `developer-${randomBytes(4).toString('hex')}@example.com`;
    if (region === undefined || deciderOf(email, regionNames) === region) return email;
  }
}

/** Kept in the shop's own folder, for its owner alone. A shop that has lost its accounts gets a new one. */
async function throwAway({ dataDir, gateway, region }: RunningShop) {
  // Each region has an account of its own: it must be there while the ocean is cut.
  const file = join(dataDir, ['developer-account', region].filter((part) => part !== undefined).join('-') + '.json');
  if (existsSync(file)) {
    const known = JSON.parse(readFileSync(file, 'utf8')) as Account;
    const answer = await post(gateway, '/api/session/login', known);
    if (answer.status === 200) return { session: sessionOf(answer), account: `${known.email}, the throw-away account of this shop` };
    if (answer.status !== 401) throw await refused(answer, 'the throw-away account could not sign in');
  }
  const made = { email: newEmail(region), password: randomBytes(18).toString('base64url') };
  const answer = await post(gateway, '/api/session/register', { ...made, name: 'A developer' });
  if (answer.status !== 201) throw await refused(answer, 'no throw-away account could be made');
  rmSync(file, { force: true });
  writeFileSync(file, JSON.stringify(made), { mode: 0o600 });
  return { session: sessionOf(answer), account: `${made.email}, a throw-away account that was just made` };
}

async function post(gateway: string, path: string, body: unknown, cookie?: string): Promise<Response> {
  try {
    return await fetch(gateway + path, {
      method: 'POST',
      headers: { origin: gateway, 'content-type': 'application/json', ...(cookie !== undefined && { cookie }) },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(signInTimeoutMs),
    });
  } catch {
    throw new StackError(`the gateway at ${gateway} does not answer`, 'npm run status shows what runs');
  }
}

/** The token that stands for the session: opaque, or in the modes jwt and jwt-denylist the access token. */
function sessionOf(answer: Response): { readonly token: string; readonly cookie: string } {
  const cookies = answer.headers.getSetCookie().map((cookie) => cookie.split(';', 1)[0]!);
  const valueOf = (name: string) => cookies.find((cookie) => cookie.startsWith(`${name}=`))?.slice(name.length + 1);
  const token = valueOf('__Host-session') ?? valueOf('__Host-access');
  if (token === undefined || token === '')
    throw new StackError('the sign-in set no session cookie', 'see the log with npm start -- --logs');
  return { token, cookie: cookies.join('; ') };
}

async function refused(answer: Response, what: string): Promise<StackError> {
  const told = (await answer.json().catch(() => ({}))) as { code?: string; detail?: string };
  const why = [told.code ?? `status ${answer.status}`, told.detail].filter((part) => part !== undefined).join(', ');
  const remedy = told.code === 'second_factor_required' ? 'take an account without a second factor' : 'try again, or leave --email out';
  return new StackError(`${what}: ${why}`, remedy);
}

async function resolve(shop: RunningShop, token: string, audience: string): Promise<string> {
  const log = createLogger('call', 'silent');
  const { client, close } = connectMesh(AuthService, { address: shop.authAddress, ...(await shop.developer()), log });
  try {
    const answer = await client.resolve({ budgetMs: resolveBudgetMs, trace: startTrace(randomBytes) }, { token, audience, touch: false });
    if (isProblem(answer))
      throw new StackError(`auth gives no passport: ${answer.problem}`, 'start the shop anew, if it is an older build');
    if (answer.passport === '') throw new StackError('auth knows no such session', 'try again');
    return answer.passport;
  } finally {
    close();
  }
}
