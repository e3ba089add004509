import { Icon } from '../components/icons.tsx';
import type { RequestNote } from './last-request.ts';
import { decisionWords, formatMs, identityWord, nameOfCaller, watchUrl } from './session-bar-words.ts';
import { useSession } from '../session/session.tsx';

/** Explains each part of the session bar, and lists the last answers. */
export function SessionBarPanel({ notes, onClose }: { readonly notes: readonly RequestNote[]; readonly onClose: () => void }) {
  return (
    <div className="panel">
      <header>
        <h2>What is this?</h2>
        <button type="button" className="icon-button" aria-label="Close" onClick={onClose}>
          <Icon name="close" size={18} />
        </button>
      </header>
      <p>Cloakroom shows how sessions, identity and carts work across replicas. This bar reads the headers of the last answer.</p>
      <ThisSession note={notes[0]} />
      <div className="table">
        <table>
          <caption>Last answers</caption>
          <thead>
            <tr>
              <th scope="col">Request</th>
              <th scope="col">Gateway</th>
              <th scope="col">Identity</th>
              <th scope="col">ms</th>
            </tr>
          </thead>
          <tbody>
            {notes.map((note) => (
              <tr key={note.number}>
                <td>
                  <Request note={note} />
                </td>
                <td>{note.gateway?.replace('gateway-', '')}</td>
                <td data-tone={identityWord(note).tone}>{identityWord(note).word}</td>
                <td>{note.totalMs === undefined ? '' : formatMs(note.totalMs)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Words />
    </div>
  );
}

/** What each part of the bar means. */
function Words() {
  const hasRegions = useSession().session?.region !== undefined;
  return (
    <dl>
      <dt>Gateway</dt>
      <dd>Which replica answered. Any of them serves any session: nothing ties you to one.</dd>
      {hasRegions && (
        <>
          <dt>Region</dt>
          <dd>
            Which region answered, and where your session lives. While home is out of reach you can browse, and use your cart for a minute;
            what is sensitive waits.
          </dd>
        </>
      )}
      <dt>Identity</dt>
      <dd>
        How your cookie became you: a <em>cache hit</em> under the revocation lease, <em>asked auth</em>, or a signed statement{' '}
        <em>verified here</em> or <em>renewed</em>. Before it stands the session&rsquo;s mode.
      </dd>
      <dt>Time</dt>
      <dd>What the answer took of the budget it had. Past it, every part would have given up.</dd>
      <dt>Cart</dt>
      <dd>
        <em>Converged</em>: all you wrote or were shown is in view. <em>Behind</em>: so many events of that are saved and not in view yet.{' '}
        <em>Merging</em>: a guest cart is joining yours. <em>Incomplete</em>: one event could not be read, and waits to be.
      </dd>
    </dl>
  );
}

/** The name of a request, which leads to the Observatory where there is one. */
function Request({ note }: { readonly note: RequestNote }) {
  const { session } = useSession();
  const name = `${note.method} ${note.path.replace('/api/', '')}`;
  const url = watchUrl(session?.observatory, note.traceId);
  if (url === undefined) return name;
  return (
    <a href={url} target="_blank" rel="noreferrer">
      {name}
    </a>
  );
}

/** Says in words who is here, and gives the ids by which an operator searches logs and traces. */
function ThisSession({ note }: { readonly note: RequestNote | undefined }) {
  const { session } = useSession();
  const rows = [
    ['You', session === undefined ? '…' : `${nameOfCaller(session)}${session.user === undefined ? '' : ', signed in'}`],
    ['Decided by', decisionWords(note)],
    ['Session', session?.handle],
    ['Cart id', session?.cartId],
    ['Its events', session?.cartId && `npm run cart -- history ${session.cartId}`],
    ['Last trace', note?.traceId],
  ] as const;
  return (
    <dl aria-label="This session">
      {rows.map(
        ([name, text]) =>
          text !== undefined && (
            <div key={name} className="panel-row">
              <dt>{name}</dt>
              <dd>{name === 'You' || name === 'Decided by' ? text : <code>{text}</code>}</dd>
            </div>
          ),
      )}
    </dl>
  );
}
