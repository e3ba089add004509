/** The page says plainly that it has no key, that the server is away, or that nothing has happened yet. Each time it says the way on. */
import { useState, type FormEvent, type ReactNode } from 'react';
import { reconnectNow, useLive } from '../api/live.ts';
import { rememberKey } from '../api/key.ts';
import { traineeId } from '../api/trainee.ts';

/** Above every view, as long as the server is away: what stands below it is then the last that was heard. */
export function ConnectionNote() {
  const { connection } = useLive();
  return (
    <div aria-live="polite">
      {connection === 'away' && (
        <div className="note notice">
          <p>
            <strong>The Observatory does not answer.</strong> What you see is the last that it said. This page asks again every few seconds.
            If you ended the shop, start it with <code>npm start</code>; the new start has a new key.
          </p>
          <button type="button" onClick={reconnectNow}>
            Try now
          </button>
        </div>
      )}
    </div>
  );
}

export function NoKey() {
  const [key, setKey] = useState('');
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    // The person may paste the whole address that the terminal shows.
    const given = key.trim();
    rememberKey(/[#&]key=([^&\s]+)/.exec(given)?.[1] ?? given);
    reconnectNow();
  };
  return (
    <section className="sheet narrow-page">
      <h1>This page needs the key of this start</h1>
      <p>
        The Observatory can stop processes, so it shows itself only to the person at the terminal. <code>npm start</code> prints an address
        that ends in <code>#key=…</code>. Open that one. Every start has another key.
      </p>
      <form className="stack" onSubmit={submit}>
        <label className="field">
          Or paste the address or the key here
          <input value={key} onChange={({ target }) => setKey(target.value)} autoComplete="off" spellCheck={false} required />
        </label>
        <button type="submit" className="primary">
          Open the Observatory
        </button>
      </form>
      <p className="quiet">
        Why not a cookie? A cookie goes to every port of this computer, so any other program on localhost would be handed the key too.
      </p>
    </section>
  );
}

export function NothingYet({ title, children }: { readonly title: string; readonly children?: ReactNode }) {
  const { stack } = useLive();
  const shop = stack?.gateways[0];
  return (
    <div className="nothing-yet">
      <h2>{title}</h2>
      <ol>
        <li>
          Open the shop
          {shop !== undefined && (
            <>
              {' '}
              at{' '}
              <a href={shop} target="_blank" rel="noreferrer">
                {shop.replace(/^https?:\/\//, '')}
              </a>
            </>
          )}{' '}
          in another window, and put something into the cart.
        </li>
        <li>Sign in there, on the same browser.</li>
        <li>Come back: what you did stands here at once.</li>
      </ol>
      {children}
      <p className="quiet">
        Your requests are told by your trainee id <code>{traineeId()}</code>, which your browser sends to the shop too. Use the same host
        name for both, as <code>localhost</code> and <code>127.0.0.1</code> have different cookies.
      </p>
    </div>
  );
}

/** Three empty shapes, and a word for a screen reader. */
export function Loading({ what }: { readonly what: string }) {
  return (
    <div className="loading">
      <output className="visually-hidden">Loading {what}…</output>
      {[0, 1, 2].map((index) => (
        <span key={index} className="bone row" aria-hidden="true" />
      ))}
    </div>
  );
}
