import { isProblem, problem, type Problem } from '@cloakroom/contracts';
import { type Exchange, type Outcome, outgoing, personOf } from '../http-exchange.ts';
import type { OutgoingCall } from '@cloakroom/mesh';
import { authProblem } from '../session/auth-problem.ts';

/**
 * Lets only administrators act. Other people are refused before they are asked to step up. auth looks at the role again, because the decision
 * is auth's. The view is fresh: these routes are sensitive, so auth identified the caller for this very request.
 */
export async function asAdministrator(exchange: Exchange, act: (call: OutgoingCall) => Promise<object | Problem>): Promise<Outcome> {
  const { view, passport } = personOf(exchange);
  if (view.role !== 'admin') return problem('forbidden');
  const done = await act(outgoing(exchange, passport));
  return isProblem(done) ? authProblem(done) : { status: 204 };
}
