/**
 * The ticket at the foot of every page shows what the last answer said about the system behind the shop. It is for people who want to learn how
 * sessions work, so it stays until they put it away. A screen reader announces nothing of it unasked.
 */
import type { Session } from '@cloakroom/contracts/http';
import { useSyncExternalStore } from 'react';
import { ApiProblem } from '../api/request.ts';
import { useCartPosition } from '../cart/use-cart-position.ts';
import { Icon } from '../components/icons.tsx';
import type { RequestLog, RequestNote } from './last-request.ts';
import { LazyPopover } from '../components/lazy-popover.tsx';
import { remember, useRemembered } from './remembered.ts';
import { SessionBarPanel } from './session-bar-panel.tsx';
import { formatMs, identityWord, nameOfCaller, regionWord, spentPercent, warnPercent, watchUrl } from './session-bar-words.ts';
import { useSession } from '../session/session.tsx';

export const useSessionBarShown = (): boolean => useRemembered('session-bar') !== 'hidden';
export const showSessionBar = (): void => remember('session-bar', 'shown');
const hideSessionBar = (): void => remember('session-bar', 'hidden');

export function SessionBar({ log }: { readonly log: RequestLog }) {
  const notes = useSyncExternalStore(log.subscribe, log.read);
  const { session, error } = useSession();
  const [last] = notes;
  return (
    <aside className="session-bar" aria-label="Session bar">
      <dl>
        <div className="stub">
          <dt className="visually-hidden">Answered by</dt>
          <dd>
            {last?.gateway === undefined ? (
              '…'
            ) : (
              <span>
                <span className="prefix">gateway-</span>
                {last.gateway.replace(/^gateway-/, '')}
              </span>
            )}
          </dd>
        </div>
        <div className="request">
          <dt className="visually-hidden">Request</dt>
          <dd>{last ? `${last.method} ${last.path}` : '…'}</dd>
        </div>
        <Who session={session} />
        <Region session={session} error={error} />
        <Identity note={last} />
        <Budget note={last} />
        <Position />
      </dl>
      <div className="session-bar-actions">
        <Watch url={watchUrl(session?.observatory, last?.traceId)} />
        <LazyPopover
          button={
            <>
              <Icon name="question" size={18} />
              <span className="session-bar-what">What is this?</span>
            </>
          }
          buttonName="What is this?"
          buttonClass="bar-button"
          title="What the session bar tells"
        >
          {(close) => <SessionBarPanel notes={notes} onClose={close} />}
        </LazyPopover>
        <button type="button" className="bar-button" aria-label="Hide the session bar" onClick={hideSessionBar}>
          <Icon name="close" size={18} />
        </button>
      </div>
    </aside>
  );
}

function Who({ session }: { readonly session: Session | undefined }) {
  return (
    <div className="who">
      <dt className="visually-hidden">You</dt>
      <dd>{session === undefined ? '…' : nameOfCaller(session)}</dd>
    </div>
  );
}

/** Only a shop of several regions has it. */
function Region({ session, error }: { readonly session: Session | undefined; readonly error: Error | null }) {
  const told = regionWord(session, error instanceof ApiProblem && error.code === 'home_region_unreachable');
  if (told === undefined) return null;
  return (
    <div className="region">
      <dt className="visually-hidden">Region</dt>
      <dd data-tone={told.tone}>
        <span className="word">{told.word}</span>
      </dd>
    </div>
  );
}

/** Only a shop with an Observatory has this link. */
function Watch({ url }: { readonly url: string | undefined }) {
  if (url === undefined) return null;
  return (
    <a className="bar-button watch" href={url} target="_blank" rel="noreferrer" aria-label="Watch this request in the Observatory">
      <Icon name="eye" size={18} />
      <span className="session-bar-watch">Watch</span>
    </a>
  );
}

function Identity({ note }: { readonly note: RequestNote | undefined }) {
  const { word, tone } = identityWord(note);
  return (
    <div className="identity">
      <dt className="visually-hidden">Identity</dt>
      <dd data-tone={tone}>
        {note?.mode && <span className="mode">{note.mode}</span>}
        <span className="word">{word}</span>
      </dd>
    </div>
  );
}

function Budget({ note }: { readonly note: RequestNote | undefined }) {
  const { totalMs, budgetMs } = note ?? {};
  if (totalMs === undefined || budgetMs === undefined) return null;
  return (
    <div className="budget">
      <dt className="visually-hidden">Time against budget</dt>
      <dd>
        <meter
          min={0}
          max={100}
          low={warnPercent}
          high={warnPercent}
          optimum={0}
          value={spentPercent(totalMs, budgetMs)}
          aria-label={`${formatMs(totalMs)} of ${budgetMs} ms`}
        />
        <span>
          {formatMs(totalMs)}
          <span className="of"> of {budgetMs}</span> ms
        </span>
      </dd>
    </div>
  );
}

function Position() {
  const { word, tone } = useCartPosition();
  return (
    <div className="position">
      <dt className="visually-hidden">Cart</dt>
      <dd data-tone={tone}>
        <Icon name="bag" size={16} />
        <span className="word">{word}</span>
      </dd>
    </div>
  );
}
