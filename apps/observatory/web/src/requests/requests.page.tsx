import { useEffect } from 'react';
import { Link, useParams } from 'react-router';
import { useLive } from '../api/live.ts';
import { Loading, NothingYet } from '../frame/states.tsx';
import { WordList } from '../words/term.tsx';
import type { WordName } from '../words/words.ts';
import { searchOf } from './list-choice.ts';
import { RequestList, useShownRequests } from './request-list.tsx';
import { OneRequest } from './request-view.tsx';

const wordsHere: readonly WordName[] = [
  ...([
    'hop',
    'lane',
    'path',
    'share',
    'after',
    'unattributed',
    'decision',
    'hit',
    'asked',
    'joined',
    'degraded',
    'local',
    'refreshed',
  ] as const),
  ...([
    'subject',
    'caller',
    'credential',
    'passport',
    'claims',
    'session',
    'mode',
    'actors',
    'lease',
    'policy',
    'refusal',
    'budget',
  ] as const),
  ...(['log', 'projector', 'trainee'] as const),
];

/** The list beside one request. Without a chosen one it shows the newest, and follows as new ones come. */
export default function RequestsPage() {
  const { traceId } = useParams();
  const { connection } = useLive();
  const { choice, shown } = useShownRequests();
  const chosen = traceId ?? shown[0]?.traceId;
  useEffect(() => {
    document.title = 'Requests · Observatory';
  }, []);
  return (
    <>
      <div className={`requests ${traceId === undefined ? 'none-chosen' : 'one-chosen'}`}>
        <RequestList chosen={chosen} />
        <p className="back">
          <Link to={`/requests${searchOf(choice)}`}>‹ All requests</Link>
        </p>
        {chosen !== undefined ? (
          <OneRequest traceId={chosen} />
        ) : (
          <article className="request">
            <h1>Watch one request travel</h1>
            {connection === 'connecting' ? (
              <Loading what="the latest requests" />
            ) : (
              <NothingYet title="Nothing of yours has been seen yet" />
            )}
          </article>
        )}
      </div>
      {/* Outside the grid: the panels at the sides stick to the window as far as the grid reaches. */}
      <footer className="words-here">
        <WordList of={wordsHere} />
      </footer>
    </>
  );
}
