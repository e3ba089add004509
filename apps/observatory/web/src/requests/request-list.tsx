/** The latest requests, newest first: mine, or everybody's. */
import { Link, useNavigate, useSearchParams } from 'react-router';
import type { RequestSummary } from '../../../src/api.ts';
import { isMine } from '../api/request-log.ts';
import { useLive } from '../api/live.ts';
import { traineeId } from '../api/trainee.ts';
import { clockTime, ms } from '../words/numbers.ts';
import { Kept } from './kept.tsx';
import { choiceIn, searchOf, shownOf } from './list-choice.ts';

export function useShownRequests() {
  const { requests } = useLive();
  const [params] = useSearchParams();
  const choice = choiceIn(params);
  return { choice, ...shownOf(requests, choice, traineeId()) };
}

export function RequestList({ chosen }: { readonly chosen: string | undefined }) {
  const { choice, shown, catalogReads } = useShownRequests();
  const { requests } = useLive();
  const navigate = useNavigate();
  const { whose, catalog } = choice;
  const others = requests.length - requests.filter((request) => isMine(request, traineeId())).length;
  const path = chosen === undefined ? '/requests' : `/requests/${chosen}`;
  return (
    <nav className="request-list" aria-label="Requests">
      <h2>{whose === 'mine' ? 'Your requests' : 'Everybody’s requests'}</h2>
      <p className="whose">
        {(['mine', 'everybody'] as const).map((one) => (
          <Link key={one} to={path + searchOf({ ...choice, whose: one })} aria-current={whose === one ? 'true' : undefined} replace>
            {one === 'mine' ? 'Mine' : 'Everybody’s'}
          </Link>
        ))}
      </p>
      <label className="catalog-reads">
        <input
          type="checkbox"
          checked={catalog}
          onChange={() => void navigate(path + searchOf({ ...choice, catalog: !catalog }), { replace: true, preventScrollReset: true })}
        />
        <span>with reads of the catalog ({catalogReads})</span>
      </label>
      <ol>
        {shown.map((request) => (
          <li key={request.traceId}>
            <Link to={`/requests/${request.traceId}${searchOf(choice)}`} aria-current={request.traceId === chosen ? 'page' : undefined}>
              <Row request={request} />
            </Link>
          </li>
        ))}
      </ol>
      {shown.length === 0 && <p className="quiet">None yet.{whose === 'mine' && others > 0 && ` Others made ${others}.`}</p>}
      <Kept />
    </nav>
  );
}

function Row({ request }: { readonly request: RequestSummary }) {
  const { name, status, durationMs, settledMs, decision, startedAtMs } = request;
  const [method, ...rest] = name.split(' ');
  const later = settledMs - durationMs > 0.5;
  return (
    <>
      <span className="request-name">
        <span className="method">{method}</span> {rest.join(' ')}
      </span>
      <span className="request-facts">
        <Status status={status} /> · {ms(durationMs)}
        {later && ` · settled after ${ms(settledMs)}`}
        {` · ${decision ?? 'no identity asked'}`}
      </span>
      <time className="request-time" dateTime={new Date(startedAtMs).toISOString()}>
        {clockTime(startedAtMs)}
      </time>
    </>
  );
}

export function Status({ status }: { readonly status: number | undefined }) {
  if (status === undefined) return <span className="status open">under way</span>;
  return <span className={`status ${status >= 500 ? 'bad' : status >= 400 ? 'warn' : 'good'}`}>{status}</span>;
}
