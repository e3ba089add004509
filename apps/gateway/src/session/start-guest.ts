import { isProblem, type Problem, type SessionIssued } from '@cloakroom/contracts';
import { type Exchange, type Outcome, outgoing } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { authProblem } from './auth-problem.ts';
import { tokenOf, viewOf } from '../identity/issued-session.ts';
import { sessionBody } from './session-answer.ts';

/** Begins a guest session, or shows the one that is there: asking twice must not make two. An ended one is followed by a new one: it was asked for. */
export async function startGuest(x: Exchange, _input: unknown, gateway: Gateway): Promise<Outcome> {
  if (x.person !== undefined) return { status: 200, body: sessionBody(x.person.view) };
  const issued = await createGuest(x, gateway);
  if (isProblem(issued)) return issued;
  return { status: 201, body: sessionBody(viewOf(issued)), newToken: tokenOf(issued) };
}

/** Also the way in for the first cart write. */
export async function createGuest(x: Exchange, gateway: Gateway): Promise<SessionIssued | Problem> {
  const limited = await gateway.limits.guest(x.remoteAddress);
  if (limited !== undefined) return limited;
  const issued = await gateway.auth.createGuest(outgoing(x), { device: { label: x.device }, remoteAddress: x.remoteAddress });
  return isProblem(issued) ? authProblem(issued) : issued;
}
