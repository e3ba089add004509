/**
 * A chain of services on the real mesh (libs/mesh), each of which calls the next. They differ in one thing: how a hop knows for whom it is called. It
 * verifies a passport, or it asks auth. In a chain here all hops are one audience, as in OAuth Transaction Tokens. The shop itself is narrower:
 * a passport is for one service, and a service exchanges it at auth to go on.
 */
import { randomBytes } from 'node:crypto';
import { type AuthService, CartService, isProblem, problem, type Problem } from '@cloakroom/contracts';
import { createPassportVerifier, type KeyRing, openAdmission, type RevocationFeed } from '@cloakroom/identity';
import {
  type Admission,
  connectMesh,
  forward,
  implement,
  type MeshConnection,
  type RequestContext,
  type Rpcs,
  serveMesh,
} from '@cloakroom/mesh';
import { type Clock, startTrace } from '@cloakroom/platform';
import type { AuthAlone } from '../bench/measuring/auth-alone.ts';

/** Each service of a shop is called so by this name. */
export const audience = 'cart';
/** The longest that the contract of the cart gives any call. The work here takes milliseconds. */
const budgetMs = 3_000;

export interface Hops {
  /** Calls the first hop, and so all of them. @param shown a passport, or the token itself where each hop asks */
  call(shown: string): Promise<'answered' | Problem>;
  /** Calls the last hop alone, as a thief inside of the mesh would. */
  callLast(shown: string): Promise<'answered' | Problem>;
  stop(): Promise<void>;
}

export interface HopsRequest {
  readonly count: number;
  readonly auth: AuthAlone;
  readonly admission: () => Admission;
  /** Turns the address of the first hop into the one that the edge uses. */
  readonly reachFirst: (port: number) => Promise<string>;
}

type Cart = MeshConnection<typeof CartService>;

export async function openHops({ count, auth: { log }, admission, reachFirst }: HopsRequest): Promise<Hops> {
  const closing: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const one of closing.toReversed()) await one();
  };
  const connect = (address: string): Cart => {
    const cart = connectMesh(CartService, { address, tls: undefined, log });
    closing.push(async () => cart.close());
    return cart;
  };
  const clock: Clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };
  let next: Cart | undefined;
  let last: Cart | undefined;
  let firstPort = 0;
  try {
    for (let nth = count; nth > 0; nth--) {
      const services = [implement(CartService, handlers(next))];
      const server = await serveMesh({ name: audience, port: 0, tls: undefined, services, admission: admission(), clock, log });
      closing.push(() => server.stop());
      firstPort = server.port;
      next = connect(`localhost:${server.port}`);
      last ??= next;
    }
    const first = connect(await reachFirst(firstPort));
    return { call: (shown) => ask(first, shown), callLast: (shown) => ask(last!, shown), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function ask({ client }: Cart, shown: string): Promise<'answered' | Problem> {
  const answer = await client.addItem({ budgetMs, trace: startTrace(randomBytes), passport: shown }, {});
  return isProblem(answer) ? answer : 'answered';
}

/** Every rpc of the contract must have a method. Only one is called. */
function handlers(next: Cart | undefined): Rpcs<typeof CartService> {
  const addItem = async (ctx: RequestContext) =>
    next === undefined ? {} : await next.client.addItem(forward(ctx, { passport: ctx.subjectToken }), {});
  const others = CartService.methods.map(({ localName }) => [localName, () => Promise.resolve(problem('internal'))]);
  return { ...Object.fromEntries(others), addItem } as Rpcs<typeof CartService>;
}

/** As the services of the shop judge, with the feed of revocations or without one. */
export const verifying = (keys: KeyRing, clock: Clock, feed: RevocationFeed | undefined): Admission =>
  openAdmission(createPassportVerifier({ audience, keys, clock, feed }), clock);

/** Asks auth who it is, at each call: introspection (RFC 7662). */
export function asking(auth: MeshConnection<typeof AuthService>): Admission {
  return {
    async admit(_method, _caller, sent) {
      if (isProblem(sent)) return sent;
      if (sent.passport === undefined) return problem('session_required');
      const question = { token: sent.passport, audience: '', touch: false };
      const answer = await auth.client.resolve({ budgetMs, trace: startTrace(randomBytes) }, question);
      if (isProblem(answer)) return problem('identity_unavailable');
      const { session, epoch, globalEpoch } = answer;
      if (session === undefined) return problem('session_ended');
      const proof = { acr: '', amr: [], authenticatedAtMs: 0, transaction: '', actors: [], region: 'local' };
      const times = { issuedAtMs: Date.now(), expiresAtMs: Date.now() };
      const { subject, handle } = session;
      const identity = {
        ...proof,
        ...times,
        subject,
        handle,
        state: 'guest',
        epoch: Number(epoch),
        globalEpoch: Number(globalEpoch),
      } as const;
      return { identity };
    },
    standing: () => undefined,
    onRevocation: () => () => undefined,
  };
}
