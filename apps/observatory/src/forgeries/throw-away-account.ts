/**
 * The forger's own account: registered over the public API as anybody would, with a password that nobody knows. Its session is traded for passports at
 * auth, by the one rpc whose policy names the caller `developer`. So the forger holds no more than a person who studies the shop.
 */
import { randomBytes } from 'node:crypto';
import { AuthService, isProblem } from '@cloakroom/contracts';
import { type Logger, startTrace } from '@cloakroom/platform/process-life';
import type { ShopAccess } from './shop-access.ts';

/** A registration hashes a password, slowly on purpose, and may wait behind others. */
const registerTimeoutMs = 10_000;
/** auth's own budget for the answer. */
const resolveBudgetMs = 1_000;
/** A public answer has a few fields. */
const codePattern = /^[a-z_]{1,64}$/;

/** Says why no forgery could be tried, for the page. */
export class Untried extends Error {
  override readonly name = 'Untried';
}

/** @returns the token of a new session. @throws Untried */
export async function register(gateway: string): Promise<string> {
  const id = randomBytes(6).toString('hex');
  const body = { email: `forger-${id}@example.com`, password: randomBytes(24).toString('base64url'), name: 'A forger' };
  const answer = await fetch(`${gateway}/api/session/register`, {
    method: 'POST',
    headers: { origin: gateway, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(registerTimeoutMs),
    redirect: 'error',
  }).catch(() => undefined);
  if (answer === undefined) throw new Untried('The gateway does not answer, so the forger has no account.');
  if (answer.status !== 201) throw new Untried(`The shop gave the forger no account: ${await codeOf(answer)}.`);
  await answer.body?.cancel();
  const token = tokenIn(answer.headers.getSetCookie());
  if (token === undefined) throw new Untried('The shop set no session cookie.');
  return token;
}

async function codeOf(answer: Response): Promise<string> {
  const told: unknown = await answer.json().catch(() => undefined);
  const code = typeof told === 'object' && told !== null && 'code' in told ? String(told.code) : '';
  return codePattern.test(code) ? code : `status ${answer.status}`;
}

/** An opaque token, or in the modes jwt and jwt-denylist the access token. */
function tokenIn(cookies: readonly string[]): string | undefined {
  for (const name of ['__Host-session', '__Host-access']) {
    const value = cookies
      .find((cookie) => cookie.startsWith(`${name}=`))
      ?.slice(name.length + 1)
      .split(';', 1)[0];
    if (value !== undefined && value !== '') return value;
  }
  return undefined;
}

/** @returns a passport for this service; undefined where the session is over. @throws Untried */
export async function askForPassport(shop: ShopAccess, token: string, audience: string, log: Logger): Promise<string | undefined> {
  const { connectMesh } = await import('@cloakroom/mesh');
  const { client, close } = connectMesh(AuthService, { address: shop.addresses.auth, ...(await shop.proof()), log });
  try {
    const answer = await client.resolve({ budgetMs: resolveBudgetMs, trace: startTrace(randomBytes) }, { token, audience, touch: true });
    if (isProblem(answer)) throw new Untried(`auth gave the forger no passport: ${answer.problem}.`);
    return answer.passport === '' ? undefined : answer.passport;
  } finally {
    close();
  }
}
