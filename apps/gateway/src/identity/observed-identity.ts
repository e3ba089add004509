/** The decision about a caller as the Observatory sees it: who was believed, by what, and how old that was. Called only where one watches. */
import { isProblem, observed, type Problem } from '@cloakroom/contracts';
import { claimsOf, refusalOf } from '@cloakroom/mesh';
import type { Observed } from '@cloakroom/platform';
import { sessionOf } from '../observed-session.ts';
import type { Person } from '../http-exchange.ts';

/** @param shown the kind of cookie; @param leaseAgeMs Infinity where no lease was ever held */
export function believing(found: Person | string | undefined | Problem, shown: string, leaseAgeMs: number, nowMs: number): Observed {
  const common = {
    [observed.credential]: shown,
    [observed.leaseAgeMs]: Number.isFinite(leaseAgeMs) ? Math.round(leaseAgeMs) : undefined,
  };
  if (found === undefined || typeof found === 'string') return common;
  if (isProblem(found)) return { ...common, [observed.refusal]: refusalOf(found) };
  const { view, passport } = found;
  const token = typeof passport === 'string' ? passport : passport.accessToken;
  return { ...common, ...sessionOf(view), ...claimsOf(token, nowMs) };
}
