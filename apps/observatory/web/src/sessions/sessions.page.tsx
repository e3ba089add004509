import { useEffect } from 'react';
import { Link, useParams } from 'react-router';
import type { SessionEndView, SessionListView, SessionStepView, SessionView } from '../../../src/api.ts';
import { traineeId } from '../api/trainee.ts';
import { useReading } from '../api/use-reading.ts';
import { Loading, NothingYet } from '../frame/states.tsx';
import { Leases } from './leases.tsx';
import { clockTime, ms, shortId } from '../words/numbers.ts';
import { Term, WordList } from '../words/term.tsx';
import { hopName } from '../words/names.ts';

/** Spans arrive within a second. */
const rereadMs = 2_000;

/** The lifeline of one session: who decided about it, when, and how. */
export default function SessionsPage() {
  const { handle } = useParams();
  useEffect(() => {
    document.title = 'Session · Observatory';
  }, []);
  const { value: list, failure } = useReading<SessionListView>(`/api/sessions?mine=${encodeURIComponent(traineeId())}`, rereadMs);
  const chosen = handle ?? list?.sessions[0]?.handle;
  const { value } = useReading<SessionView>(chosen === undefined ? undefined : `/api/sessions/${encodeURIComponent(chosen)}`, rereadMs);
  return (
    <div className="session-page">
      <h1>One session, and everybody who decided about it</h1>
      <p className="lead">
        A <Term word="session" /> lives in auth’s store, and copies of the answer live in each gateway. Here stands each{' '}
        <Term word="decision" />, with the <Term word="lease" /> at that moment: as long as it is below 2 s, a copy may be believed.
      </p>
      {list && list.sessions.length > 0 && (
        <nav aria-label="Sessions" className="chips">
          {list.sessions.map((one) => (
            <Link
              key={one.handle}
              to={`/sessions/${one.handle}`}
              title={one.handle}
              aria-current={one.handle === chosen ? 'page' : undefined}
            >
              {one.subject?.startsWith('u_') === true ? 'user' : 'guest'} {shortId(one.handle)}
              {one.home !== undefined && ` · home ${one.home}`} · {standingOf(one)}
            </Link>
          ))}
        </nav>
      )}
      {failure && failure.kind !== 'away' && <p className="note problem">{failure.message}</p>}
      {list && chosen === undefined && <NothingYet title="No session of yours has been seen yet" />}
      {chosen !== undefined && (value ? <Life session={value} /> : <Loading what="the session" />)}
      {chosen === undefined && <Leases />}
      <footer className="words-here">
        <WordList of={['session', 'decision', 'hit', 'asked', 'joined', 'degraded', 'local', 'refreshed', 'lease', 'mode', 'refusal']} />
      </footer>
    </div>
  );
}

/** A guest who signs in gets a new session, and the old one ends: that is no sign-out. */
function standingOf({ ended, becameHandle, mode }: SessionListView['sessions'][number]): string {
  if (becameHandle !== undefined) return `became user ${shortId(becameHandle)}`;
  return ended ? 'ended' : (mode ?? 'mode not told');
}

function Life({ session }: { readonly session: SessionView }) {
  return (
    <>
      {session.end && <Stopwatch end={session.end} />}
      <Leases home={session.home} />
      <Lifeline steps={session.steps} />
    </>
  );
}

function Stopwatch({ end }: { readonly end: SessionEndView }) {
  const { atMs, traceId, heard, lastAccepted } = end;
  return (
    <section aria-labelledby="stopwatch" className="card stopwatch">
      <h2 id="stopwatch">It ended at {clockTime(atMs)}</h2>
      <p>
        <Link to={`/requests/${traceId}`}>The request that ended it</Link> was answered, and from there the stopwatch ran.{' '}
        {lastAccepted === undefined
          ? 'Nothing believed the session after that.'
          : `${lastAccepted.place} believed it last, ${afterAnswer(lastAccepted.afterMs)}.`}
      </p>
      <dl>
        {heard.map(({ place, afterMs }) => (
          <div key={`${place} ${afterMs}`}>
            <dt>{place} had heard it</dt>
            <dd>{afterAnswer(afterMs)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

const afterAnswer = (afterMs: number): string => (afterMs < 0 ? `at once, ${ms(-afterMs)} before the answer` : `${ms(afterMs)} after it`);

/** Somebody decided, refused, or changed something. The rest is work of requests, which have a view of their own. */
const tells = ({ decision, refusal, name }: SessionStepView): boolean =>
  decision !== undefined || refusal !== undefined || /^(?:POST|PUT|PATCH|DELETE) /.test(name);

function Lifeline({ steps }: { readonly steps: readonly SessionStepView[] }) {
  if (steps.length === 0) return <p className="note notice">Nothing about this session is kept: it is unknown, or it was long ago.</p>;
  return (
    <div className="table card">
      <table>
        <caption className="visually-hidden">What was decided about the session, newest first</caption>
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Where</th>
            <th scope="col">What</th>
            <th scope="col">
              <Term word="decision">Decision</Term>
            </th>
            <th scope="col" className="number">
              <Term word="lease">Lease age</Term>
            </th>
          </tr>
        </thead>
        <tbody>
          {steps
            .filter(tells)
            .toReversed()
            .map((step) => (
              <tr key={step.spanId} className={step.refusal === undefined ? undefined : 'refused'}>
                <td>{clockTime(step.atMs)}</td>
                <td className="place">{step.place}</td>
                <th scope="row">
                  <Link to={`/requests/${step.traceId}`}>{step.request ?? hopName(step.name)}</Link>{' '}
                  <span className="quiet">
                    {step.request !== undefined && step.request !== step.name && `${hopName(step.name)} `}
                    {ms(step.durationMs)}
                  </span>
                </th>
                <td data-label="Decision">{step.refusal ?? step.decision ?? '–'}</td>
                <td className="number" data-label="Lease age">
                  {step.leaseAgeMs === undefined ? '–' : ms(step.leaseAgeMs)}
                </td>
              </tr>
            ))}
        </tbody>
      </table>
    </div>
  );
}
