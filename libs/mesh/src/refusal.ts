/**
 * The check that refused a call, for the Observatory alone. A caller is told the code and nothing of this: which check found a forgery is no news for
 * a forger.
 */
import { checkWords, type Problem } from '@cloakroom/contracts';
import { observing } from '@cloakroom/platform';

const checks = new WeakMap<Problem, string>();

/** Notes which check refused, where an Observatory watches. @param check a key of `checkWords` */
export function refusedBy(check: string, found: Problem): Problem {
  if (observing()) checks.set(found, check);
  return found;
}

/** "invalid_passport: it was made for another service (wrong_audience)"; the code alone where no check was noted. */
export function refusalOf(found: Problem): string {
  const check = checks.get(found);
  if (check === undefined) return found.problem;
  const words = checkWords[check];
  return words === undefined ? `${found.problem}: ${check}` : `${found.problem}: ${words} (${check})`;
}
