/**
 * Holds what is observed against the failure matrix, the same table that e2e/failures tests and docs/failures.md shows. A span does not say in which
 * column of the table its session stands. So an answer agrees when some column allows it; only what no column allows is red. An answer is held
 * against what was broken when it was given. Close to a change it is shown and not judged, because the matrix says what holds after it.
 */
import {
  errorTable,
  failureColumns,
  failureMatrix,
  failureOperations,
  failureOutcomeOf,
  failureOutcomes,
  type FailureColumn,
  type FailureOperation,
  type FailureOutcome,
  observed,
  toldCode,
  type ErrorCode,
} from '@cloakroom/contracts';
import type { BlastOperation, BlastRadiusView } from '../api.ts';
import type { StoredSpan } from '../span.ts';
import type { Broken, BrokenStretch } from './broken.ts';

export const blastWindowMs = 10_000;
/** Connections break and come back, and services hear of a fault, within this. */
const noticeMs = 1_000;
/** Where the revocation feed falls silent, the cells hold once its lease of 2 s is over. */
export const leaseSettleMs = 3_000;

interface Look {
  readonly nowMs: number;
  /** The trainee who looks; undefined: everybody's answers, and everybody's faults. */
  readonly mine: string | undefined;
}

export function blastRadius(history: readonly BrokenStretch[], spans: readonly StoredSpan[], { nowMs, mine }: Look): BlastRadiusView {
  const met = history.filter(({ experiment }) => experiment === undefined || mine === undefined || experiment === mine);
  const now = met.filter(({ untilMs }) => untilMs === Infinity);
  const answers = answersOf(spans, nowMs - blastWindowMs, mine);
  return {
    gone: now.flatMap(({ part, why }) =>
      part === undefined ? [] : [{ part, title: failureMatrix.find((row) => row.part === part)!.title, why }],
    ),
    unpromised: now.flatMap(({ part, why }) => (part === undefined ? [why] : [])),
    windowMs: blastWindowMs,
    operations: (Object.keys(failureOperations) as FailureOperation[])
      // An open stream tells nothing by a span: it has none after it began.
      .filter((name) => name !== 'streamOpen')
      .map((name) => rowOf(name, now, met, answers.get(failureOperations[name].request) ?? [])),
  };
}

/** The allowed outcomes: with several parts gone, whatever is allowed for one of them. */
function outcomesOf(operation: FailureOperation, broken: readonly Broken[]): readonly FailureOutcome[] {
  const columns = Object.keys(failureColumns) as FailureColumn[];
  const rows = failureMatrix.filter(({ part }) => broken.some((one) => one.part === part));
  const leaseGoesOn = broken.every(({ experiment }) => experiment !== undefined);
  const all = rows.flatMap((row) => columns.map((column) => failureOutcomeOf(row, operation, column, leaseGoesOn)));
  const worst = all.filter((outcome) => outcome !== 'works');
  // A part that an operation does not need takes back no promise of another part's loss.
  return all.length === 0 || worst.length === 0 ? ['works'] : [...new Set(rows.length > 1 ? worst : all)];
}

/** Nothing where something is broken of which nobody promises anything. */
function promisesOf(operation: FailureOperation, now: readonly Broken[]): readonly string[] {
  const ofParts = outcomesOf(operation, now).map((outcome) => failureOutcomes[outcome].text);
  const ofFaults = now.flatMap(({ part, promises }) => (part === undefined ? [promises?.[operation]] : []));
  if (ofFaults.includes(undefined)) return [];
  const worst = [...ofParts, ...ofFaults].filter((text) => text !== undefined && text !== failureOutcomes.works.text);
  return worst.length === 0 || ofFaults.length === 0 ? ofParts : [...new Set(worst as string[])];
}

interface Answer {
  readonly startMs: number;
  readonly endMs: number;
  readonly status: number;
  readonly code: string;
}

/** By request, as the table names them. */
function answersOf(spans: readonly StoredSpan[], sinceMs: number, mine: string | undefined): ReadonlyMap<string, readonly Answer[]> {
  const byRequest = new Map<string, Answer[]>();
  for (const { kind, startMs, endMs, attributes } of spans) {
    const route = attributes['http.route'];
    const status = attributes['http.response.status_code'];
    if (kind !== 'server' || route === undefined || typeof status !== 'number' || endMs < sinceMs) continue;
    if (mine !== undefined && attributes[observed.experiment] !== mine) continue;
    const request = `${String(attributes['http.request.method'])} ${String(route)}`;
    const code = codeTold(attributes[observed.refusal]) ?? String(status);
    byRequest.set(request, [...(byRequest.get(request) ?? []), { startMs, endMs, status, code }]);
  }
  return byRequest;
}

/** The matrix has the code that the browser was told. The span has the gateway's own, which may say that its connection broke. */
function codeTold(refusal: unknown): string | undefined {
  const code = typeof refusal === 'string' ? /^[a-z_]+/.exec(refusal)?.[0] : undefined;
  return code !== undefined && code in errorTable ? toldCode(code as ErrorCode) : code;
}

function rowOf(
  name: FailureOperation,
  now: readonly Broken[],
  history: readonly BrokenStretch[],
  answers: readonly Answer[],
): BlastOperation {
  const { title, request } = failureOperations[name];
  const promises = promisesOf(name, now);
  if (answers.length === 0) return { title, request, promises, observed: undefined, agrees: undefined };
  const failed = answers.filter(isFailure);
  const verdicts = answers.map((answer) => verdictOn(name, history, answer)).filter((verdict) => verdict !== undefined);
  const counts = new Map<string, number>();
  for (const { code } of failed) counts.set(code, (counts.get(code) ?? 0) + 1);
  const sorted = answers.map(({ startMs, endMs }) => Math.max(0, endMs - startMs)).toSorted((a, b) => a - b);
  return {
    title,
    request,
    promises,
    observed: {
      count: answers.length,
      successPart: 1 - failed.length / answers.length,
      p99Ms: sorted[Math.ceil(sorted.length * 0.99) - 1]!,
      refusals: [...counts].map(([code, count]) => ({ code, count })).toSorted((a, b) => b.count - a.count),
    },
    agrees: verdicts.length === 0 ? undefined : verdicts.every(Boolean),
  };
}

/**
 * @returns undefined where something began or ended close to the answer, and where something was broken of which the matrix says nothing. Undefined
 * too for a browser's own mistake: a wrong body is refused before any part is asked, so it proves neither that a part works nor that it is gone.
 */
function verdictOn(name: FailureOperation, history: readonly BrokenStretch[], answer: Answer): boolean | undefined {
  if (isMistake(answer)) return undefined;
  const touching = history.filter((one) => one.fromMs < answer.endMs + noticeMs && one.untilMs > answer.startMs - settleMsOf(one));
  const isSteady = touching.every(
    (one) => one.part !== undefined && one.fromMs <= answer.startMs - settleMsOf(one) && one.untilMs >= answer.endMs + noticeMs,
  );
  return isSteady ? allows(outcomesOf(name, touching), answer) : undefined;
}

const settleMsOf = ({ part }: Broken): number =>
  failureMatrix.some((row) => row.part === part && row.leaseEnds) ? leaseSettleMs : noticeMs;

/** A browser's own mistake (4xx) says nothing about what is broken. */
const isMistake = ({ status }: Answer): boolean => status >= 400 && status < 500;
const isFailure = ({ status }: Answer): boolean => status >= 500;

function allows(outcomes: readonly FailureOutcome[], answer: Answer): boolean {
  const codes = outcomes.flatMap((outcome): readonly string[] => {
    const one = failureOutcomes[outcome];
    return 'codes' in one ? one.codes : [];
  });
  if (isFailure(answer)) return codes.includes(answer.code);
  // Where every column refuses, an answer that works is no good news: the table would be wrong, or the part is not gone.
  return outcomes.some((outcome) => !('codes' in failureOutcomes[outcome]));
}
