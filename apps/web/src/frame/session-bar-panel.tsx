import { Icon } from '../components/icons.tsx';
import type { RequestNote } from './last-request.ts';
import { formatMs, identityWord } from './session-bar-words.ts';
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
      <ThisSession traceId={notes[0]?.traceId} />
      <dl>
        <dt>Gateway</dt>
        <dd>Which replica answered. Any of them serves any session: nothing ties you to one.</dd>
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
                  {note.method} {note.path.replace('/api/', '')}
                </td>
                <td>{note.gateway?.replace('gateway-', '')}</td>
                <td data-tone={identityWord(note).tone}>{identityWord(note).word}</td>
                <td>{note.totalMs === undefined ? '' : formatMs(note.totalMs)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

/** Says in words who is here, and gives the ids by which an operator searches logs and traces. */
function ThisSession({ traceId }: { readonly traceId: string | undefined }) {
  const { session } = useSession();
  return (
    <dl aria-label="This session">
      <dt>You</dt>
      <dd>{session?.user ? `${session.user.name}, signed in` : session?.state === 'guest' ? 'a guest' : 'no session yet'}</dd>
      {session?.cartId !== undefined && (
        <>
          <dt>Cart id</dt>
          <dd>
            <code>{session.cartId}</code>
          </dd>
          <dt>Its events</dt>
          <dd>
            <code>npm run cart -- history {session.cartId}</code>
          </dd>
        </>
      )}
      {traceId !== undefined && (
        <>
          <dt>Last trace</dt>
          <dd>
            <code>{traceId}</code>
          </dd>
        </>
      )}
    </dl>
  );
}
