import { isProblem, type Problem, type SessionIssued } from '@cloakroom/contracts';
import { deviceLabel } from '../edge/device-label.ts';
import { type Exchange, type Outcome, outgoing } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { authProblem } from './auth-problem.ts';
import { tokenOf, viewOf } from '../identity/issued-session.ts';
import { sessionBody } from './session-answer.ts';

/**
 * Begins a guest session, or shows the one that is there, because asking twice must not make two. After an ended session it begins a new one,
 * because the client asked for it.
 */
export async function startGuest(exchange: Exchange, gateway: Pick<Gateway, 'auth' | 'limits'>): Promise<Outcome> {
  if (exchange.person !== undefined) return { status: 200, body: sessionBody(exchange.person.view) };
  const issued = await createGuest(exchange, gateway);
  if (isProblem(issued)) return issued;
  return { status: 201, body: sessionBody(viewOf(issued)), newToken: tokenOf(issued) };
}

/** Begins a guest session; the first cart write uses it too. */
export async function createGuest(exchange: Exchange, gateway: Pick<Gateway, 'auth' | 'limits'>): Promise<SessionIssued | Problem> {
  const limited = await gateway.limits.guest(exchange.remoteAddress);
  if (limited !== undefined) return limited;
  const issued = await gateway.auth.createGuest(outgoing(exchange), {
    device: { label: deviceLabel(exchange.userAgent) },
    remoteAddress: exchange.remoteAddress,
  });
  return isProblem(issued) ? authProblem(issued) : issued;
}
