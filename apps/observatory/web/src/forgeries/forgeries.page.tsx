import { useEffect, useState } from 'react';
import type { ForgeryView } from '../../../src/api.ts';
import { useLive } from '../api/live.ts';
import { Failure, read } from '../api/observatory.ts';
import { Loading } from '../frame/states.tsx';
import { Term, WordList } from '../words/term.tsx';
import { Forgery } from './forgery.tsx';

/** False passports, really sent: each shows the check that refuses it. */
export default function ForgeriesPage() {
  const { connection } = useLive();
  const [known, setKnown] = useState<readonly ForgeryView[]>();
  const [failure, setFailure] = useState<Failure>();
  useEffect(() => {
    document.title = 'Forgeries · Observatory';
  }, []);
  useEffect(() => {
    if (connection !== 'open') return;
    read<readonly ForgeryView[]>('/api/forgeries').then(setKnown, (error: unknown) =>
      setFailure(error instanceof Failure ? error : new Failure('away', String(error))),
    );
  }, [connection]);
  return (
    <div className="faults-page">
      <h1>Try a forgery</h1>
      <p className="lead">
        A <Term word="forgery" /> is a <Term word="passport" /> that somebody changed. The Observatory makes an account that it throws away,
        gets an honest passport for it, spoils it, and really sends it to the service. You see what was sent, and which check said no.
      </p>
      {failure && <p className="note problem">{failure.message}</p>}
      {known ? (
        <ul className="faults">
          {known.map((forgery) => (
            <Forgery key={forgery.name} forgery={forgery} />
          ))}
        </ul>
      ) : (
        !failure && <Loading what="the forgeries" />
      )}
      <footer className="words-here">
        <WordList of={['forgery', 'passport', 'claims', 'subject', 'caller', 'policy', 'refusal']} />
      </footer>
    </div>
  );
}
