/**
 * Who may call a method: its policy x the certificate x the passport, decided before the handler sees the call. Bound to the handler that
 * gRPC resolved, never to the path as text (grpc-go CVE-2026-33186: a path without its first slash passed by the policy).
 *
 * A service among `callers` comes with the passport that auth gave it at the edge. One among `delegates` comes with a passport that it exchanged:
 * that one names the methods it is good for, and it is its holder's alone, because the actor in it is the service whose certificate the call
 * has. So a passport that was sent on, stolen or traded for another purpose opens nothing (confused deputy, RFC 8693 5).
 */
import { Identity, isProblem, type MethodPolicy, OperationClass, problem, type Problem } from '@cloakroom/contracts';
import type { Clock } from '@cloakroom/platform';
import type { Admission, Admitted, Caller, JudgedMethod, VerifiedIdentity } from '@cloakroom/mesh';
import { refusedPassports } from './passport.metrics.ts';
import type { PassportVerifier } from './passport.ts';

/** In every token mode: a sensitive method is never served on what a cache remembers of a session. */
export const sensitiveAgeMaxMs = 2_000;

/** The mesh's server asks this before each handler: first the caller, then the metadata, then the passport. */
export const openAdmission = (verifier: PassportVerifier, clock: Clock): Admission => ({
  admit: async (method, caller, sent) =>
    judgeCaller(method.policy, caller.name, caller.proven) ??
    (isProblem(sent) ? sent : judgeIdentity(method, caller, sent, verifier, clock)),
  standing: (identity) => verifier.standing(identity),
  onRevocation: (listener) => verifier.onRevocation(listener),
});

/**
 * With TLS on, no one but the services that the policy lists. Without it nothing tells services apart. In embedded only they know the secret
 * that a call needs (mesh-secret.ts); any other process with `MESH_TLS=off` has no secret, and is open to all who reach it.
 */
export function judgeCaller(policy: MethodPolicy, caller: string | undefined, tls: boolean): Problem | undefined {
  return !tls || (caller !== undefined && (policy.callers.includes(caller) || policy.delegates.includes(caller)))
    ? undefined
    : problem('forbidden');
}

/**
 * A passport that is present must be valid, whatever the method needs: a broken one is a defect or an attack, never "nobody".
 * An access token opens no sensitive method: what it says may be minutes old.
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

/** Whose passport it may be, and what for. In embedded nothing proves the caller, so there the actor in the passport is believed. */
function judgeActor({ policy, name }: JudgedMethod, caller: Caller, { actors, scope }: VerifiedIdentity): Problem | undefined {
  if (scope === undefined) {
    const atFirstHand = !caller.proven || (caller.name !== undefined && policy.callers.includes(caller.name));
    return atFirstHand ? undefined : refuse(caller, 'not_exchanged', 'forbidden');
  }
  const actor = actors[0];
  if (caller.proven && caller.name !== actor) return refuse(caller, 'another_actor', 'invalid_passport');
  if (!scope.includes(name) || actor === undefined || !policy.delegates.includes(actor)) return refuse(caller, 'out_of_scope', 'forbidden');
  return undefined;
}

function refuse({ audience }: Caller, reason: string, code: 'forbidden' | 'invalid_passport'): Problem {
  refusedPassports.inc({ audience, reason });
  return problem(code);
}

function missing(needed: Identity): Admitted | Problem {
  switch (needed) {
    case Identity.NONE:
    case Identity.SERVICE:
      return { identity: undefined };
    case Identity.USER:
      return problem('sign_in_required');
    default:
      return problem('session_required');
  }
}

function judgePerson(policy: MethodPolicy, identity: VerifiedIdentity, nowMs: number): Problem | undefined {
  if (policy.identity === Identity.USER && identity.state !== 'user') return problem('sign_in_required');
  const tooOld = identity.accessMode !== undefined || nowMs - identity.issuedAtMs > sensitiveAgeMaxMs;
  if (policy.operationClass === OperationClass.SENSITIVE && tooOld) return problem('invalid_passport');
  const ageMs = nowMs - identity.authenticatedAtMs;
  const ageMaxS = policy.authenticationAgeMaxS;
  return ageMaxS > 0 && ageMs > ageMaxS * 1000 ? problem('step_up_required') : undefined;
}
