import { PasskeyFailure } from '../session/passkeys.ts';
import { ApiProblem } from '../api/request.ts';

/** What is not known, and what was done by an earlier try: neither has gone wrong. */
const notFailures: ReadonlySet<string> = new Set(['outcome_unknown', 'done_before']);

/** What went wrong, in words, with a way on. Nothing when nothing did. */
export function ProblemNote({ error, onRetry }: { readonly error: unknown; readonly onRetry?: () => void }) {
  if (error === undefined || error === null) return null;
  const code = error instanceof ApiProblem ? error.code : undefined;
  // The cart's commands that are still asked for have notes of their own (pending.tsx).
  if (code === 'still_asking') return null;
  return (
    <div className={`note ${code !== undefined && notFailures.has(code) ? 'notice' : 'problem'}`} role="alert">
      <p>
        {error instanceof ApiProblem || error instanceof PasskeyFailure ? error.message : 'Something went wrong on this page. Reload it.'}
      </p>
      {onRetry && (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}

/** Said to those who listen; those who look see the empty shapes of what will come. */
export function Loading({ what, rows = 3 }: { readonly what: string; readonly rows?: number }) {
  return (
    <div className="loading">
      <output className="visually-hidden">Loading {what}…</output>
      {Array.from({ length: rows }, (_, index) => (
        <span key={index} className="bone row" aria-hidden="true" />
      ))}
    </div>
  );
}
