/** The identity that was believed at a span, and the budget that was left, from the attributes that only the Observatory gets. */
import { observed } from '@cloakroom/contracts';
import type { IdentityView, SpanView } from '../api.ts';
import type { StoredSpan } from '../span.ts';
import { textOf } from './lanes.ts';

const decisionAttribute = 'cloakroom.identity.decision';
const modes: ReadonlySet<string> = new Set(['reference', 'hybrid', 'jwt', 'jwt-denylist']);

/** "hybrid hit" is the decision hit on a session of mode hybrid. */
export function decisionOf({ attributes }: StoredSpan): { readonly decision: string; readonly mode: string | undefined } | undefined {
  const told = textOf(attributes[decisionAttribute]);
  if (told === '') return undefined;
  const [mode, ...rest] = told.split(' ');
  return modes.has(mode!) && rest.length > 0 ? { decision: rest.join(' '), mode } : { decision: told, mode: undefined };
}

/**
 * @param below what the spans below it decided: a request's own span leaves the decision to its span `identity`
 * @returns undefined where the span decides nothing
 */
export function identityOf(span: StoredSpan, below: readonly StoredSpan[] = []): IdentityView | undefined {
  const { attributes } = span;
  const text = (key: string): string | undefined => textOf(attributes[key]) || undefined;
  const told = decisionOf(span) ?? below.map(decisionOf).find((one) => one !== undefined);
  const refusal = text(observed.refusal);
  const credential = text(observed.credential);
  const policy = text(observed.policy);
  const decision = refusal === undefined ? (told?.decision ?? checkedBy(span)) : 'refused';
  if (decision === undefined && policy === undefined) return undefined;
  return {
    decision: decision ?? 'no person needed',
    caller: text(observed.caller),
    callerProof: text(observed.callerProof),
    subject: text(observed.subject),
    session: text(observed.session),
    mode: text(observed.mode) ?? told?.mode,
    credential,
    credentialAgeMs: numberOf(attributes[observed.credentialAgeMs]),
    claims: claimsOf(attributes[observed.claims]),
    actors: text(observed.actors),
    policy,
    leaseAgeMs: numberOf(attributes[observed.leaseAgeMs]),
    refusal,
  };
}

/** A hop that makes no decision of its own says by what was shown what it checked. */
function checkedBy({ kind, name, attributes }: StoredSpan): string | undefined {
  if (name.startsWith('live event ')) return 'told to this session, which was checked again before';
  const credential = textOf(attributes[observed.credential]);
  if (credential !== '' && credential !== 'none') return kind === 'client' ? `${credential} shown` : `${credential} verified`;
  const proof = textOf(attributes[observed.callerProof]);
  return proof === '' ? undefined : `no person needed; the caller’s proof: ${proof}`;
}

export function budgetOf({ attributes }: StoredSpan): SpanView['budget'] {
  const leftMs = numberOf(attributes[observed.budgetLeftMs]);
  const ofMs = numberOf(attributes[observed.budgetMs]);
  return leftMs === undefined || ofMs === undefined ? undefined : { leftMs, ofMs };
}

function claimsOf(told: unknown): Readonly<Record<string, unknown>> | undefined {
  try {
    const claims: unknown = JSON.parse(textOf(told));
    return typeof claims === 'object' && claims !== null && !Array.isArray(claims) ? (claims as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

const numberOf = (value: unknown): number | undefined => (typeof value === 'number' && Number.isFinite(value) ? value : undefined);
