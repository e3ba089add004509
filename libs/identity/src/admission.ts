/**
 * Admits a call by the policy x the certificate x the passport, before the handler sees it. The decision is bound to the handler
 * that gRPC resolved, never to the path as text. In grpc-go a path without its first slash passed by the policy (CVE-2026-33186).
 *
 * A service among `callers` comes with the passport that auth gave it at the edge. A service among `delegates` comes with a passport that it
 * exchanged. An exchanged passport names the methods it is good for. Only its holder can use it: its actor must be the service in the call's
 * certificate. So a passport that was sent on, stolen or traded for another purpose opens nothing (confused deputy, RFC 8693 5).
 *
 * An engineer's commands are the caller `developer`. Only a local shop admits it, and there it may call what is for people or for everybody.
 */
import { developer, Identity, isProblem, type MethodPolicy, OperationClass, problem, type Problem } from '@cloakroom/contracts';
import type { Clock } from '@cloakroom/platform';
import { type Admission, type Admitted, type Caller, type JudgedMethod, type VerifiedIdentity, refusedBy } from '@cloakroom/mesh';
import { refusedPassports } from './passport.metrics.ts';
import type { PassportVerifier } from './passport.ts';

/** A sensitive method is never served on a cached session, in any token mode. */
export const sensitiveAgeMaxMs = 2_000;

/**
 * The mesh's server asks this before each handler: first the caller, then the metadata, then the passport.
 * @param options.developers whether the caller `developer` is admitted: on a local shop alone
 */
export const openAdmission = (
  verifier: PassportVerifier,
  clock: Clock,
  { developers = false }: { readonly developers?: boolean } = {},
): Admission => ({
  admit: async (method, caller, sent) =>
    judgeCaller(method.policy, caller, developers) ?? (isProblem(sent) ? sent : judgeIdentity(method, caller, sent, verifier, clock)),
  standing: (identity) => verifier.standing(identity),
  onRevocation: (listener) => verifier.onRevocation(listener),
});

/**
 * With TLS on, only the services that the policy lists may call. Without TLS nothing tells services apart. In embedded mode a call needs a secret
 * that only the shop's services know (libs/mesh metadata.ts), and the developer has another one. Any other process with `MESH_TLS=off` has no secret,
 * and everyone who reaches it may call.
 */
function judgeCaller(policy: MethodPolicy, { name, proven }: Caller, developers: boolean): Problem | undefined {
  if (!proven) return undefined;
  const admitted = name === developer ? developers && isForDevelopers(policy) : mayCall(policy, name);
  return admitted ? undefined : refusedBy('caller', problem('forbidden'));
}

const mayCall = ({ callers, delegates }: MethodPolicy, name: string | undefined): boolean =>
  name !== undefined && (callers.includes(name) || delegates.includes(name));

/** A method for a person still needs that person's own passport. A method between services is closed unless its policy names the developer. */
const isForDevelopers = ({ identity, callers }: MethodPolicy): boolean => identity !== Identity.SERVICE || callers.includes(developer);

/**
 * A passport that is present must be valid, whatever the method needs. A broken one is a defect or an attack, never an anonymous caller. An access
 * token opens no sensitive method, because its claims may be minutes old.
 */
export async function judgeIdentity(
  { policy, name }: JudgedMethod,
  caller: Caller,
  { passport, accessToken }: { readonly passport: string | undefined; readonly accessToken?: string | undefined },
  verifier: PassportVerifier,
  clock: Clock,
): Promise<Admitted | Problem> {
  const identity = await (passport !== undefined
    ? verifier.verify(passport)
    : accessToken !== undefined
      ? verifier.verifyAccessToken(accessToken)
      : undefined);
  if (identity === undefined) return missing(policy.identity);
  if ('problem' in identity) return identity;
  return judgeActor({ policy, name }, caller, identity) ?? judgePerson(policy, identity, clock.nowMs()) ?? { identity };
}

/** Whose passport it may be, and what for. In embedded mode nothing proves the caller, so the passport's actor is believed there. */
function judgeActor({ policy, name }: JudgedMethod, caller: Caller, { actors, scope }: VerifiedIdentity): Problem | undefined {
  if (scope === undefined) {
    // A developer who came this far may call the method, and its passport is its own.
    const atFirstHand = !caller.proven || caller.name === developer || (caller.name !== undefined && policy.callers.includes(caller.name));
    return atFirstHand ? undefined : refuse(caller, 'not_exchanged', 'forbidden');
  }
  const actor = actors[0];
  if (caller.proven && caller.name !== actor) return refuse(caller, 'another_actor', 'invalid_passport');
  if (!scope.includes(name) || actor === undefined || !policy.delegates.includes(actor)) return refuse(caller, 'out_of_scope', 'forbidden');
  return undefined;
}

function refuse({ audience }: Caller, reason: string, code: 'forbidden' | 'invalid_passport'): Problem {
  refusedPassports.inc({ audience, reason });
  return refusedBy(reason, problem(code));
}

function missing(needed: Identity): Admitted | Problem {
  switch (needed) {
    case Identity.NONE:
    case Identity.SERVICE:
      return { identity: undefined };
    case Identity.USER:
      return refusedBy('no_person', problem('sign_in_required'));
    default:
      return refusedBy('no_person', problem('session_required'));
  }
}

function judgePerson(policy: MethodPolicy, identity: VerifiedIdentity, nowMs: number): Problem | undefined {
  if (policy.identity === Identity.USER && identity.state !== 'user') return refusedBy('no_user', problem('sign_in_required'));
  const tooOld = identity.accessMode !== undefined || nowMs - identity.issuedAtMs > sensitiveAgeMaxMs;
  if (policy.operationClass === OperationClass.SENSITIVE && tooOld) return refusedBy('sensitive_age', problem('invalid_passport'));
  const ageMs = nowMs - identity.authenticatedAtMs;
  const ageMaxS = policy.authenticationAgeMaxS;
  return ageMaxS > 0 && ageMs > ageMaxS * 1000 ? refusedBy('authentication_age', problem('step_up_required')) : undefined;
}
