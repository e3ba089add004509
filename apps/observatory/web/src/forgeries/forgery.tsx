import { useState } from 'react';
import { Link } from 'react-router';
import type { ForgeryResult, ForgeryView } from '../../../src/api.ts';
import { act, Failure } from '../api/observatory.ts';
import { ms } from '../words/numbers.ts';
import { Term } from '../words/term.tsx';
import { comparedClaims, outcomeWords, toneOf } from './outcome.ts';

/** One forgery: what it does, a button that sends it, and what came back. */
export function Forgery({ forgery: { name, title, words, sentTo } }: { readonly forgery: ForgeryView }) {
  const [state, setState] = useState<'idle' | 'sending' | ForgeryResult | Failure>('idle');
  const send = async (): Promise<void> => {
    setState('sending');
    setState(
      await act<ForgeryResult>('POST', `/api/forgeries/${encodeURIComponent(name)}`, {}).catch((error: unknown) =>
        error instanceof Failure ? error : new Failure('away', String(error)),
      ),
    );
  };
  return (
    <li className="forgery">
      <div className="forgery-head">
        <h2>{title}</h2>
        <button type="button" disabled={state === 'sending'} onClick={() => void send()}>
          {state === 'sending' ? 'Sending …' : 'Send it'}
          <span className="visually-hidden"> {title}</span>
        </button>
      </div>
      <p>
        {words} <span className="quiet">Sent to {sentTo}.</span>
      </p>
      <div aria-live="polite">
        {state instanceof Failure && <p className="note problem">{state.message}</p>}
        {typeof state === 'object' && !(state instanceof Failure) && <Outcome result={state} />}
      </div>
    </li>
  );
}

function Outcome({ result }: { readonly result: ForgeryResult }) {
  return (
    <div className="forgery-outcome">
      <p className={`note ${toneOf(result)}`}>
        <span>
          <strong>{outcomeWords(result)}</strong> {result.check !== undefined && <>The check: {result.check}. </>}
          {result.code !== undefined && (
            <>
              <Term word="refusal">Code</Term> <code>{result.code}</code>
              {result.durationMs !== undefined && `, after ${ms(result.durationMs)}`}.{' '}
            </>
          )}
          {result.note}
        </span>
      </p>
      {result.sent && <Claims result={result} />}
      <p className="quiet">
        The check is in <code>{result.file}</code>
        {result.traceId !== undefined && (
          <>
            . <Link to={`/requests/${result.traceId}?whose=everybody`}>Look at the request</Link>
          </>
        )}
      </p>
    </div>
  );
}

function Claims({ result }: { readonly result: ForgeryResult }) {
  return (
    <details>
      <summary>What was sent, beside the honest passport</summary>
      <div className="table">
        <table>
          <caption className="visually-hidden">Header and claims as they were sent, and the honest claims</caption>
          <thead>
            <tr>
              <th scope="col">
                <Term word="claims">Claim</Term>
              </th>
              <th scope="col">Sent</th>
              <th scope="col">Honest</th>
            </tr>
          </thead>
          <tbody>
            {comparedClaims(result).map(({ name, sent, honest, differs }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td data-label="Sent" className={differs ? 'bad' : undefined}>
                  <code>{sent}</code>
                </td>
                <td data-label="Honest">
                  <code>{honest}</code>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
