import { ApiProblem } from './request.ts';

/** What went wrong, in words, with a way on. Nothing when nothing did. */
export function ProblemNote({ error, onRetry }: { readonly error: unknown; readonly onRetry?: () => void }) {
  if (error === undefined || error === null) return null;
  return (
    <div className="note problem" role="alert">
      <p>{error instanceof ApiProblem ? error.message : 'Something went wrong on this page. Reload it.'}</p>
      {onRetry && (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}

export function Loading({ what }: { readonly what: string }) {
  return <output className="quiet">Loading {what}…</output>;
}
