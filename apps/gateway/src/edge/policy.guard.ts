/**
 * Decides who may call a route, by the route's policy: cookies, limits of sign-ins, the person. The body's fields are judged after it, and a
 * use case never sees more identity than its policy states.
 *
 * http-server.ts has checked origin and rate before, ahead of the body.
 */
import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { consistencyTokenPattern, isProblem, problem, type Problem, SessionState, toldCode } from '@cloakroom/contracts';
import { startDeadline } from '@cloakroom/mesh';
import { parseKnownDevice } from '@cloakroom/session';
import type { Gateway, IdentityParts } from '../gateway.ts';
import type { Person } from '../http-exchange.ts';
import { readCookies } from '../identity/cookies.ts';
import { readShown, identifyCaller } from '../identity/identify-caller.ts';
import { identityToken, limitsToken, macKeysToken } from '../injection.ts';
import { sessionDecisions } from '../metrics.ts';
import type { RoutePolicy } from '../route.ts';
import type { OpenExchange } from './request-scope.ts';

/** A page that anyone may see waits no longer than this until its caller is identified. */
const publicIdentityBudgetMs = 300;

type GuardParts = Pick<Gateway, 'identity' | 'macKeys' | 'limits'>;

@Injectable()
export class PolicyGuard implements CanActivate {
  constructor(
    @Inject(identityToken) readonly identity: IdentityParts,
    @Inject(macKeysToken) readonly macKeys: Gateway['macKeys'],
    @Inject(limitsToken) readonly limits: Gateway['limits'],
  ) {}

  canActivate(context: ExecutionContext): Promise<true> {
    return admit(context.switchToHttp().getRequest<FastifyRequest>(), this);
  }
}

/** Lets the request in, or throws the Problem that says why not. */
async function admit({ exchange, headers }: FastifyRequest, parts: GuardParts): Promise<true> {
  const policy = exchange?.policy;
  if (policy === undefined || exchange === undefined) throw new Error('a route without a policy lets nobody in');
  readCookiesOf(exchange, headers, policy, parts);
  exchange.deadline = startDeadline(policy.budgetMs === 0 ? Number.POSITIVE_INFINITY : policy.budgetMs, parts.identity.clock);
  if (policy.limit === 'sign-in') await limitSignIns(exchange, parts);
  if (policy.operationClass === 'public') {
    // A page that anyone may see is the same for every caller, so the gateway identifies the caller meanwhile. `finish` waits for it.
    exchange.sessionView = sessionViewOf(exchange, parts);
    // The answer's end hears of a failure. Until then it must not count as unhandled.
    exchange.sessionView.catch(() => undefined);
    return true;
  }
  const person = await personFor(policy, exchange, parts);
  if (isProblem(person)) throw person;
  exchange.person = person;
  exchange.token = exchange.renewal.token ?? exchange.token;
  return true;
}

function readCookiesOf(exchange: OpenExchange, headers: FastifyRequest['headers'], policy: RoutePolicy, { macKeys }: GuardParts): void {
  // The cookies of a browser on the same host must not make a probe fail.
  const cookies = readCookies(policy.operationClass === 'operations' ? undefined : headers.cookie);
  if (isProblem(cookies)) throw cookies;
  const shown = headers['consistency-token'];
  const header = typeof shown === 'string' && shown !== '' ? shown : undefined;
  if (header !== undefined && !consistencyTokenPattern.test(header))
    throw problem('invalid_request', 'Consistency-Token is not one of ours.');
  const cookie = cookies.consistency !== undefined && consistencyTokenPattern.test(cookies.consistency) ? cookies.consistency : undefined;
  exchange.consistency = [header, cookie].filter((token) => token !== undefined);
  exchange.token = readShown(cookies, macKeys);
  exchange.cookies = cookies;
}

/** Only sign-ins read the cookie of a known device. One that never was ours counts as none, and reaches no database. */
async function limitSignIns(exchange: OpenExchange, { limits, macKeys }: GuardParts): Promise<void> {
  const cookie = exchange.cookies?.knownDevice;
  const known = cookie === undefined ? undefined : parseKnownDevice(cookie, macKeys);
  if (cookie !== undefined && known !== undefined) exchange.knownDevice = cookie;
  const limited = await limits.signIn(exchange.remoteAddress, known?.subject);
  if (limited !== undefined) throw limited;
}

/** Enforces the identity that the policy demands. */
async function personFor(policy: RoutePolicy, exchange: OpenExchange, parts: GuardParts): Promise<Person | undefined | Problem> {
  if (policy.identity === 'none') return undefined;
  const need = { audience: policy.audience ?? 'cart', sensitive: policy.operationClass === 'sensitive', touch: policy.live !== true };
  const found = await identifyCaller(exchange, need, parts.identity);
  count(found);
  // `identifyCaller` says "stale" only to a caller that forbids a renewal.
  if (found === 'stale') return problem('identity_unavailable');
  if (isProblem(found)) return found;
  if (found === 'ended') return policy.identity === 'maybe' ? undefined : problem('session_ended');
  if (policy.identity === 'user' && found?.view.state !== SessionState.USER) return problem('sign_in_required');
  if (policy.identity === 'guest' && found === undefined) return problem('session_required');
  return found;
}

/**
 * Touches the session of a person who only browses, because that person is there too. If the session cannot be checked, the answer says whose
 * view it is.
 */
async function sessionViewOf(exchange: OpenExchange, parts: GuardParts): Promise<string | undefined> {
  // No renewal here: an answer that anyone may see, and a cache may keep, sets no cookie.
  const need = { audience: 'cart', sensitive: false, touch: true, refresh: false, budgetMs: publicIdentityBudgetMs } as const;
  const found = await identifyCaller(exchange, need, parts.identity);
  count(found);
  return isProblem(found) ? `guest; reason=${toldCode(found.problem)}` : undefined;
}

function count(found: Person | 'ended' | 'stale' | undefined | Problem): void {
  const decision = found === undefined ? 'none' : typeof found === 'string' ? found : isProblem(found) ? 'unavailable' : found.decision;
  sessionDecisions.inc({ decision });
}
