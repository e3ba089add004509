/** A request as the Observatory sees it: the policy that it met, and whose it turned out to be. Called only where one watches. */
import { isProblem, observed, type Problem } from '@cloakroom/contracts';
import { refusalOf } from '@cloakroom/mesh';
import type { Observed } from '@cloakroom/platform';
import type { Exchange, Outcome } from '../http-exchange.ts';
import { sessionOf } from '../observed-session.ts';
import type { RoutePolicy } from '../route.ts';
import { deviceLabel } from './device-label.ts';

export function entering(policy: RoutePolicy | undefined, userAgent: string | undefined): Observed {
  const device = { [observed.device]: deviceLabel(userAgent) };
  if (policy === undefined) return device;
  const { operationClass, budgetMs } = policy;
  const budget = budgetMs > 0 ? { [observed.budgetMs]: budgetMs, [observed.budgetLeftMs]: budgetMs } : {};
  return { ...device, ...budget, [observed.policy]: inWords(policy), [observed.operationClass]: operationClass };
}

type Answered = Pick<Exchange, 'experiment' | 'person'> & { readonly outcome: Outcome | undefined; readonly refused: Problem | undefined };

/** Known only at the end: the guard finds the person, and a sign-in begins another session. */
export function leaving({ experiment, person, outcome, refused }: Answered): Observed {
  const why = refused ?? (outcome !== undefined && isProblem(outcome) ? outcome : undefined);
  return {
    [observed.experiment]: experiment,
    ...sessionOf(outcome?.newToken?.view ?? person?.view),
    [observed.refusal]: why === undefined ? undefined : refusalOf(why),
  };
}

/** "identity first-write, audience cart, class cart, budget 800 ms" */
function inWords({ identity, audience, operationClass, budgetMs, limit, live }: RoutePolicy): string {
  return [
    `identity ${identity}`,
    ...(audience === undefined ? [] : [`audience ${audience}`]),
    `class ${operationClass}`,
    ...(limit === undefined ? [] : [`limit ${limit}`]),
    live === true ? 'stays open' : `budget ${budgetMs} ms`,
  ].join(', ');
}
