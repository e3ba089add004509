/** A call as the Observatory sees it: who called and how that was proved, what was shown, the policy, and the time that was left. */
import { Identity, isProblem, type MethodPolicy, observed, OperationClass, type Problem } from '@cloakroom/contracts';
import type { Observed } from '@cloakroom/platform';
import type { VerifiedIdentity } from '../context.ts';
import type { CallMetadata } from '../metadata.ts';
import { actorsIn, shownClaims } from '../shown-claims.ts';

/** @param service the called one; @param budgetMs what the caller left, Infinity for a stream that stays open */
export function entering(service: string, policy: MethodPolicy, budgetMs: number, sent: CallMetadata | Problem, nowMs: number): Observed {
  const budget = Number.isFinite(budgetMs) ? { [observed.budgetLeftMs]: Math.round(budgetMs), [observed.budgetMs]: policy.budgetMs } : {};
  const common = { [observed.policy]: policyInWords(service, policy), [observed.operationClass]: classOf(policy), ...budget };
  if (isProblem(sent)) return common;
  return { ...common, [observed.experiment]: sent.experiment, ...credentialOf(sent, nowMs) };
}

function credentialOf({ passport, accessToken }: CallMetadata, nowMs: number): Observed {
  const token = passport ?? accessToken;
  if (token === undefined) return { [observed.credential]: 'none' };
  return { [observed.credential]: passport === undefined ? 'access token' : 'passport', ...claimsOf(token, nowMs) };
}

/** Decoded once for each token: a passport serves many calls. About 2 kB each. */
const decodedCountMax = 500;
const decoded = new Map<string, { readonly told: Observed; readonly issuedAtMs: number | undefined }>();

/** The decoded claims of a signed token, and its age. */
export function claimsOf(token: string, nowMs: number): Observed {
  let known = decoded.get(token);
  if (known === undefined) {
    if (decoded.size >= decodedCountMax) decoded.clear();
    decoded.set(token, (known = decode(token)));
  }
  const { told, issuedAtMs } = known;
  return issuedAtMs === undefined ? told : { ...told, [observed.credentialAgeMs]: Math.round(nowMs - issuedAtMs) };
}

function decode(token: string): { readonly told: Observed; readonly issuedAtMs: number | undefined } {
  const read = shownClaims(token);
  if (read === undefined) return { told: {}, issuedAtMs: undefined };
  const { iat } = read.claims;
  const told = {
    [observed.claims]: JSON.stringify(read.claims),
    [observed.credentialHeader]: JSON.stringify(read.header),
    [observed.actors]: actorsIn(read.claims),
  };
  return { told, issuedAtMs: typeof iat === 'number' ? iat * 1_000 : undefined };
}

/** @param sender undefined: a stranger; @param secret whether the process has one */
export function calling(name: string | undefined, tls: boolean, sender: string | undefined, secret: boolean): Observed {
  const bySecret = sender === undefined ? 'nothing' : secret ? 'secret of this start' : 'nothing: this process asks for no proof';
  return { [observed.caller]: name, [observed.callerProof]: tls ? 'certificate' : bySecret };
}

export const admittedAs = (identity: VerifiedIdentity | undefined): Observed => ({
  [observed.subject]: identity?.subject,
  [observed.session]: identity?.handle,
  [observed.mode]: identity?.accessMode,
});

/** One text for each policy: the policies are those of the contract, and live as long as the process. */
const words = new WeakMap<MethodPolicy, string>();

/** "identity USER, audience cart, class CART, callers gateway, delegates orders, budget 600 ms" */
function policyInWords(service: string, policy: MethodPolicy): string {
  const known = words.get(policy);
  if (known !== undefined) return known;
  const { identity, callers, delegates, budgetMs, authenticationAgeMaxS } = policy;
  const text = [
    `identity ${Identity[identity]}`,
    `audience ${service}`,
    `class ${classOf(policy)}`,
    `callers ${callers.join(' ') || 'none'}`,
    ...(delegates.length > 0 ? [`delegates ${delegates.join(' ')}`] : []),
    ...(authenticationAgeMaxS > 0 ? [`proved at most ${authenticationAgeMaxS} s ago`] : []),
    budgetMs > 0 ? `budget ${budgetMs} ms` : 'stays open',
  ].join(', ');
  words.set(policy, text);
  return text;
}

const classOf = ({ operationClass }: MethodPolicy): string => OperationClass[operationClass] ?? 'none';
