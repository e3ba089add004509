/** The parts that accept a session: gateways by its cookie, services by the passport that the gateway would send. */
import { setTimeout as delay } from 'node:timers/promises';
import { randomBytes } from 'node:crypto';
import { AuthService, CartService, isProblem, ProfileService, type Problem } from '@cloakroom/contracts';
import { connectMesh, type OutgoingCall, readTls } from '@cloakroom/mesh';
import { createLogger, startTrace } from '@cloakroom/platform';
import { Pool } from 'undici';
import { portsOf } from '../../../infra/stack/stack.ts';
import type { World } from '../measuring/world.ts';

/** Time for some dozens of attempts, on a busy machine too. */
const liveTimeoutMs = 60_000;
const retryDelayMs = 50;

/**
 * `unanswered`: the request was not accepted, but the answer does not show that the end of the session was heard. A busy machine causes it.
 */
export type Answer = 'accepted' | 'refused' | 'unanswered';

export interface Acceptor {
  readonly name: string;
  /** @throws when the answer is none of the three */
  ask(): Promise<Answer>;
}

export interface Acceptors {
  /** All four acceptors, with the session of this cookie. The services get the passport that auth gives for it now. */
  of(cookie: string): Promise<readonly Acceptor[]>;
  gateway(which: 0 | 1, cookie: string): Acceptor;
  /** Returns once the logout is acknowledged. */
  logOut(cookie: string): Promise<void>;
  close(): void;
}

const connections = 32;
const budgetMs = 1_500;

export async function openAcceptors(world: World): Promise<Acceptors> {
  const log = createLogger('bench', 'silent');
  const tls = await readTls(world.tlsDir, 'gateway');
  const ports = portsOf(world.base);
  const at = (name: 'auth' | 'cart' | 'profile') => ({ address: `localhost:${ports[name].mesh}`, tls, log });
  const [auth, cart, profile] = [
    connectMesh(AuthService, at('auth')),
    connectMesh(CartService, at('cart')),
    connectMesh(ProfileService, at('profile')),
  ];
  const pools = world.gateways.slice(0, 2).map((url) => new Pool(url, { connections, pipelining: 1 }));
  const call = (identity: Pick<OutgoingCall, 'passport' | 'accessToken'>): OutgoingCall => ({
    budgetMs,
    trace: startTrace(randomBytes),
    ...identity,
  });

  const gateway = (which: 0 | 1, cookie: string): Acceptor => gatewayAt(pools[which]!, `gateway-${which + 1}`, cookie);
  const passportFor = async (token: string, audience: string): Promise<string> => {
    const giveUpMs = performance.now() + liveTimeoutMs;
    for (;;) {
      const answer = await auth.client.resolve(call({}), { token, audience, touch: false });
      if (!isProblem(answer) && answer.session !== undefined) return answer.passport;
      const why = isProblem(answer) ? answer.problem : 'no such session';
      // This is preparation and not measured: an auth that gets no processor for a moment is asked again.
      if (!isProblem(answer) || performance.now() > giveUpMs) throw new Error(`auth gave no passport for ${audience}: ${why}`);
      await delay(retryDelayMs);
    }
  };
  return {
    gateway,
    async of(cookie) {
      const accessToken = valueOf(cookie, '__Host-access');
      const identity = async (audience: string) =>
        accessToken === undefined ? { passport: await passportFor(valueOf(cookie, '__Host-session')!, audience) } : { accessToken };
      const [forCart, forProfile] = [await identity('cart'), await identity('profile')];
      return [
        gateway(0, cookie),
        gateway(1, cookie),
        serviceAt('cart', () => cart.client.getCart(call(forCart), {})),
        serviceAt('profile', () => profile.client.getProfile(call(forProfile), {})),
      ];
    },
    logOut: (cookie) => logOut(pools[0]!, { cookie, origin: world.gateways[0], 'content-type': 'application/json' }),
    close() {
      for (const connection of [auth, cart, profile]) connection.close();
      for (const pool of pools) void pool.destroy();
    },
  };
}

/** A status, and a problem, of a part that gets no processor or cannot ask auth in time. */
const busy: ReadonlySet<number> = new Set([503, 504]);
const noAnswer: ReadonlySet<Problem['problem']> = new Set(['connection_lost', 'unavailable', 'deadline_exceeded']);

export async function logOut(gateway: Pool, headers: Record<string, string>): Promise<void> {
  const giveUpMs = performance.now() + liveTimeoutMs;
  for (;;) {
    const { statusCode, body } = await gateway.request({ method: 'POST', path: '/api/session/logout', headers, body: '{}' });
    await body.dump();
    if (statusCode === 204) return;
    // A sign-out may be asked for again, and the bound counts from the one that was acknowledged.
    if (!busy.has(statusCode) || performance.now() > giveUpMs) throw new Error(`logout answered ${statusCode}`);
    await delay(retryDelayMs);
  }
}

function serviceAt(name: string, call: () => Promise<object | Problem>): Acceptor {
  return {
    name,
    async ask() {
      const answer = await call();
      if (!isProblem(answer)) return 'accepted';
      return noAnswer.has(answer.problem) ? 'unanswered' : 'refused';
    },
  };
}

export function gatewayAt(pool: Pool, name: string, cookie: string): Acceptor {
  return {
    name,
    async ask() {
      // Asks for the gateway's own decision. The cart service has heard already: it would refuse a request for the cart, and its refusal
      // would correct a gateway that has not heard.
      const { statusCode, body } = await pool.request({ method: 'GET', path: '/api/session', headers: { cookie } });
      const text = await body.text();
      if (statusCode === 200) return (JSON.parse(text) as { state: string }).state === 'none' ? 'refused' : 'accepted';
      if (statusCode === 401) return 'refused';
      if (busy.has(statusCode)) return 'unanswered';
      throw new Error(`${name} answered ${statusCode}`);
    },
  };
}

/**
 * Prepares a trial: each acceptor accepts the session once, because a cold cache would refuse without having heard anything.
 * @throws when an acceptor does not accept within `liveTimeoutMs`
 */
export async function untilAccepted({ name, ask }: Acceptor): Promise<void> {
  const giveUpMs = performance.now() + liveTimeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer === 'accepted') return;
    if (answer === 'refused' || performance.now() > giveUpMs) throw new Error(`${name} accepted no live session: ${answer}`);
    await delay(retryDelayMs);
  }
}

function valueOf(cookie: string, name: string): string | undefined {
  return cookie
    .split('; ')
    .find((pair) => pair.startsWith(`${name}=`))
    ?.slice(name.length + 1);
}
