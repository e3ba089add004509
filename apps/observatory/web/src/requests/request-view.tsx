/** One request: in words, as lanes, and hop by hop. */
import { Link, useNavigate, useSearchParams } from 'react-router';
import type { RequestView } from '../../../src/api.ts';
import { Loading } from '../frame/states.tsx';
import { clockTime } from '../words/numbers.ts';
import { Actions } from './actions.tsx';
import { HopPanel } from './hop-panel.tsx';
import { Lanes } from './lanes.tsx';
import { answeredIn } from './answered.ts';
import { firstHop } from './next-hop.ts';
import { PathTable } from './path-table.tsx';
import { Status } from './request-list.tsx';
import { useRequest } from './use-request.ts';

export function OneRequest({ traceId }: { readonly traceId: string }) {
  const reading = useRequest(traceId);
  switch (reading.state) {
    case 'reading':
      return (
        <article className="request">
          <Loading what="the request" />
        </article>
      );
    case 'failed':
      return (
        <article className="request">
          <h1>This request is not here</h1>
          <p>
            {reading.failure.kind === 'missing'
              ? 'The Observatory keeps the latest requests in memory, and lets go of the oldest first. It also forgets all of them when it starts again. A request of this moment arrives within a second or two.'
              : reading.failure.message}
          </p>
          <p>
            <Link to="/requests">The latest requests</Link>
          </p>
        </article>
      );
    default:
      return <Shown view={reading.view} />;
  }
}

function Shown({ view }: { readonly view: RequestView }) {
  const [params] = useSearchParams();
  const navigate = useNavigate();
  const asked = params.get('hop');
  const span =
    view.spans.find(({ spanId }) => spanId === (asked ?? firstHop(view))) ?? view.spans.find(({ spanId }) => spanId === firstHop(view));
  // Also where the page followed the newest request: a reader who chose a hop stays with this one.
  const select = (spanId: string): void => {
    const search = new URLSearchParams(params);
    search.set('hop', spanId);
    void navigate(`/requests/${view.traceId}?${search}`, { replace: true, preventScrollReset: true });
  };
  const [headline, ...rest] = view.story;
  return (
    <>
      <article className="request" aria-label={view.name}>
        <header>
          <h1>{view.name}</h1>
          <p className="quiet">
            <Status status={view.status} /> · {answeredIn(view)} · began at {clockTime(view.startedAtMs)} · trace{' '}
            <code>{view.traceId}</code>
          </p>
        </header>
        <p className="story">
          <strong>{headline}</strong> {rest.join(' ')}
        </p>
        <Lanes view={view} selected={span?.spanId} onSelect={select} />
      </article>
      <aside className="beside" aria-label="Identity, policy and budget">
        <div aria-live="polite">{span && <HopPanel view={view} span={span} />}</div>
        <Actions view={view} />
      </aside>
      <div className="details">
        <PathTable view={view} selected={span?.spanId} onSelect={select} />
        <Related view={view} />
      </div>
    </>
  );
}

function Related({ view: { related } }: { readonly view: RequestView }) {
  const [params] = useSearchParams();
  const whose = params.get('whose');
  if (related.length === 0) return null;
  return (
    <section aria-labelledby="related">
      <h2 id="related">What belongs to it</h2>
      <ul className="related">
        {related.map(({ traceId, why }) => (
          <li key={traceId}>
            <Link to={`/requests/${traceId}${whose === null ? '' : `?whose=${whose}`}`}>{why}</Link>
          </li>
        ))}
      </ul>
    </section>
  );
}
