import { Link, useLocation } from 'react-router';
import { PasskeyFailure } from '../session/passkeys.ts';
import { ApiProblem } from '../api/request.ts';

/** An unknown outcome, and a write that an earlier try made, are no failures. */
const notFailures: ReadonlySet<string> = new Set(['outcome_unknown', 'done_before']);

/** Says what went wrong, and offers a way on. Without an error it shows nothing. */
export function ProblemNote({ error, onRetry }: { readonly error: unknown; readonly onRetry?: () => void }) {
  if (error === undefined || error === null) return null;
  const code = error instanceof ApiProblem ? error.code : undefined;
  // A cart command with an unknown outcome has a note of its own (pending.tsx).
  if (code === 'still_asking') return null;
  return (
    <div className={`note ${code !== undefined && notFailures.has(code) ? 'notice' : 'problem'}`} role="alert">
      <p>
        {error instanceof ApiProblem || error instanceof PasskeyFailure ? error.message : 'Something went wrong on this page. Reload it.'}
      </p>
      {code === 'session_ended' ? <SignInAgain /> : onRetry && <Retry onRetry={onRetry} />}
    </div>
  );
}

const Retry = ({ onRetry }: { readonly onRetry: () => void }) => (
  <button type="button" onClick={onRetry}>
    Try again
  </button>
);

/** To ask again would end the same way. */
function SignInAgain() {
  const { pathname, search } = useLocation();
  return (
    <Link to={`/sign-in?next=${encodeURIComponent(pathname + search)}`} className="button">
      Sign in
    </Link>
  );
}

/** Tells a screen reader that something loads. Everybody else sees the empty shapes of the coming content. */
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
