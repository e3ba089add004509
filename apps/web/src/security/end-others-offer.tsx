import { useEffect, useRef } from 'react';
import { plural } from '../format.ts';
import { ProblemNote } from '../components/problem-note.tsx';
import { useApi } from '../api/shop.tsx';
import { useChange } from './use-change.ts';

interface OfferProps {
  /** Says what the person just did. */
  readonly done: string;
  readonly otherSessions: number;
}

/**
 * After a change of a credential or factor the page offers to end the other sessions (ASVS 5.0 7.4.3). The offer takes the focus, because the
 * pressed button may be gone.
 */
export function EndOthersOffer({ done, otherSessions }: OfferProps) {
  const api = useApi();
  const note = useRef<HTMLOutputElement>(null);
  const end = useChange(
    () => api.endOtherDevices(),
    () => note.current?.focus(),
  );
  useEffect(() => note.current?.focus(), [done]);
  return (
    <output ref={note} className="note good offer" tabIndex={-1}>
      <p>
        <strong>{done}</strong>
        {otherSessions > 0 && !end.isSuccess && ` You are still signed in on ${plural(otherSessions, 'other device')}.`}
        {end.isSuccess && ' All your other sessions are ended.'}
      </p>
      <ProblemNote error={end.error} />
      {otherSessions > 0 && !end.isSuccess && (
        <button type="button" aria-disabled={end.isPending} onClick={() => !end.isPending && end.mutate(undefined)}>
          Sign out {otherSessions === 1 ? 'that device' : 'those devices'}
        </button>
      )}
    </output>
  );
}
