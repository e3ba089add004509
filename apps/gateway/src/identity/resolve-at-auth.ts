/**
 * The gateway asks auth who the caller is, and may repeat this call. It repeats no other call in this system. This one changes nothing that
 * matters (the idle limit moves at most once a minute), and without its answer a person waits.
 *
 * The gateway repeats it once, if the connection broke and enough time is left. While the retry budget lasts, a killed replica of auth costs
 * no request its answer. The budget is a tenth of all questions, at most ten at once, so that an auth that breaks under its load is not asked
 * twice as much. Silence, an open breaker and auth's own refusal are not repeated (docs/decisions/0020-no-hedging.md says why).
 *
 * Questions of many people travel on one stream to each replica of auth (docs/decisions/0034-questions-on-one-stream.md). So each answer is compared
 * with its question before anybody uses it: nobody is ever taken for another.
 */
import { hash } from 'node:crypto';
import { isProblem, type Problem, type ResolveResponse } from '@cloakroom/contracts';
import { type OutgoingCall, provesNothing, type RetryBudget } from '@cloakroom/mesh';
import { repeatedQuestions } from '../metrics.ts';

/** A second try is worth it when at least this much time is left: auth has answered 99 of 100 by then. */
const retryWorthMs = 200;

export type Resolve = (
  call: OutgoingCall,
  request: { token: string; audience: string; touch: boolean },
) => Promise<ResolveResponse | Problem>;

export interface AskingParts {
  readonly resolve: Resolve;
  readonly retries: RetryBudget;
  /** Monotonic. */
  readonly nowMs: () => number;
}

export function resolveAtAuth({ resolve, retries, nowMs }: AskingParts): Resolve {
  return async (call, request) => {
    // All people share the budget. An experiment that broke its own questions neither fills nor drains it.
    const own = provesNothing(call);
    if (!own) retries.deposit();
    const startedMs = nowMs();
    const answer = await resolve(call, request);
    if (!isProblem(answer) || answer.problem !== 'connection_lost') return answer;
    const leftMs = call.budgetMs - (nowMs() - startedMs);
    if (leftMs < retryWorthMs) return answer;
    const allowed = own || retries.withdraw();
    repeatedQuestions.inc({ outcome: allowed ? 'sent' : 'refused' });
    return allowed ? resolve({ ...call, budgetMs: leftMs }, request) : answer;
  };
}

interface Question {
  readonly token?: string | undefined;
  readonly audience?: string | undefined;
}

/** The claims of a passport that the gateway reads, unverified: auth itself sent it over the mesh. Services verify it. */
interface Claims {
  readonly aud?: unknown;
  readonly sub?: unknown;
  readonly sid?: unknown;
  readonly iat: number;
  readonly exp: number;
}

/** Whether auth made this answer for this question. An answer on the stream must say which token it answers. */
export const answersQuestion = (question: Question, answer: ResolveResponse): boolean =>
  answer.tokenSha256.length > 0 && isFor(question, answer);

/** @returns the times of the passport; undefined for an answer to another question, or one that no gateway can read */
export function claimsFor(question: Question, answer: ResolveResponse): { issuedAtMs: number; expiresAtMs: number } | undefined {
  const claims = isFor(question, answer) ? claimsIn(answer) : undefined;
  return claims && { issuedAtMs: claims.iat * 1_000, expiresAtMs: claims.exp * 1_000 };
}

/** A build of auth from before says neither token nor audience, and is asked by single calls. The passport speaks for itself even then. */
function isFor({ token = '', audience = '' }: Question, answer: ResolveResponse): boolean {
  const { tokenSha256, session } = answer;
  if (tokenSha256.length > 0 && (answer.audience !== audience || !hash('sha256', token, 'buffer').equals(tokenSha256))) return false;
  if (session === undefined || audience === '') return answer.passport === '';
  const claims = claimsIn(answer);
  return claims?.aud === audience && claims.sub === session.subject && claims.sid === session.handle;
}

/** The stream and the identity cache both look into one answer; its passport is parsed once. */
const parsed = new WeakMap<ResolveResponse, Claims>();

function claimsIn(answer: ResolveResponse): Claims | undefined {
  const known = parsed.get(answer);
  if (known !== undefined) return known;
  try {
    const claims = JSON.parse(Buffer.from(answer.passport.split('.')[1] ?? '', 'base64url').toString()) as Partial<Claims>;
    if (typeof claims.iat !== 'number' || typeof claims.exp !== 'number') return undefined;
    parsed.set(answer, claims as Claims);
    return claims as Claims;
  } catch {
    return undefined;
  }
}
