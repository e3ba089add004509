/** The events of one cart as dots, a slider over them, and the cart after the chosen one. */
import { useState } from 'react';
import { Link } from 'react-router';
import type { CartLogView, CartStepView } from '../../../src/api.ts';
import { clockTime } from '../words/numbers.ts';
import { Term } from '../words/term.tsx';
import { CartDots } from './cart-dots.tsx';
import { nameOfLine } from './name-of-line.ts';

export function CartLog({ log }: { readonly log: CartLogView }) {
  const { steps, partition } = log;
  /** Undefined follows the newest. */
  const [chosen, setChosen] = useState<number>();
  const at = Math.min(chosen ?? steps.length - 1, steps.length - 1);
  const step = steps[at];
  if (!step) return <p className="note notice">The log holds no event of this cart: nothing was ever put into it.</p>;
  const choose = (index: number): void => setChosen(index === steps.length - 1 ? undefined : index);
  return (
    <div className="cart-log">
      <section aria-labelledby="events" className="card">
        <h2 id="events">
          {steps.length === 1 ? '1 event' : `${steps.length} events`}, partition {partition}
        </h2>
        <label className="slider">
          <span>
            The cart after <Term word="offset" /> {placeOf(step)}
          </span>
          <input
            type="range"
            min={0}
            max={steps.length - 1}
            value={at}
            onChange={({ target }) => choose(Number(target.value))}
            aria-valuetext={`offset ${placeOf(step)}, ${typeOf(step)}`}
          />
        </label>
        <ol className="dots">
          {steps.map((one, index) => (
            <li key={placeOf(one)}>
              <button
                type="button"
                className={index > at ? 'later' : one.changed ? 'changed' : 'idle'}
                aria-current={index === at ? 'step' : undefined}
                onClick={() => choose(index)}
              >
                <span className="dot-offset">{placeOf(one)}</span> {typeOf(one)}
                {!one.changed && <span className="quiet"> · changed nothing</span>}
                <time dateTime={new Date(one.atMs).toISOString()}>{clockTime(one.atMs)}</time>
              </button>
            </li>
          ))}
        </ol>
      </section>
      <div className="cart-then">
        <CartThen step={step} isNewest={at === steps.length - 1} />
        <CartDots log={log} at={at} />
      </div>
    </div>
  );
}

function CartThen({ step, isNewest }: { readonly step: CartStepView; readonly isNewest: boolean }) {
  const { after, event, traceId, unreadable } = step;
  return (
    <section aria-labelledby="then" aria-live="polite" className="card">
      <h2 id="then">{isNewest ? 'The cart now' : `The cart after offset ${placeOf(step)}`}</h2>
      {after.lines.length === 0 ? (
        <p>It is empty.</p>
      ) : (
        <div className="table">
          <table>
            <caption className="visually-hidden">The lines of the cart</caption>
            <thead>
              <tr>
                <th scope="col">Line</th>
                <th scope="col" className="number">
                  Quantity
                </th>
                <th scope="col" className="number">
                  Live <Term word="dot">dots</Term>
                </th>
              </tr>
            </thead>
            <tbody>
              {after.lines.map(({ lineId, quantity, dots }) => (
                <tr key={lineId} data-line={lineId}>
                  <th scope="row" title={lineId}>
                    {nameOfLine(lineId)}
                  </th>
                  <td className="number" data-label="Quantity">
                    {quantity}
                  </td>
                  <td className="number" data-label="Live dots">
                    {dots.length}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <dl>
        <Fact name="Coupons" value={countOf(after.coupons)} />
        <Fact name="Dead ids, removals included" value={countOf(after.dead)} />
        <Fact name="Guests that joined" value={countOf(after.joined)} />
        <Fact name="Claimed by" value={after.claimedBy} />
        <Fact name="Guests still missing" value={countOf(after.missing)} />
      </dl>
      {unreadable !== undefined && <p className="note problem">This build cannot read the event: {unreadable}</p>}
      {traceId !== undefined && (
        <p>
          <Link to={`/requests/${traceId}`}>The request that caused this event</Link>
        </p>
      )}
      <details>
        <summary>The event as the log holds it</summary>
        <pre>{JSON.stringify(event, undefined, 2)}</pre>
      </details>
    </section>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: string | undefined }) {
  if (value === undefined) return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** @returns undefined for none, of a list or of an object with a member for each */
function countOf(value: unknown): string | undefined {
  if (typeof value === 'number') return value === 0 ? undefined : String(value);
  if (typeof value !== 'object' || value === null) return undefined;
  const count = Array.isArray(value) ? value.length : Object.keys(value).length;
  return count === 0 ? undefined : String(count);
}

/** "12", and "12 of us" where there are two logs. */
const placeOf = ({ offset, region }: CartStepView): string => (region === undefined ? offset : `${offset} of ${region}`);

function typeOf({ event }: CartStepView): string {
  const type = event?.['type'];
  return typeof type === 'string' ? type : 'unreadable';
}
