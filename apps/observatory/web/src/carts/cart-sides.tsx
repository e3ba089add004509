/** One cart in two regions, side by side: what each shows, and how far it has heard each log. */
import { useEffect } from 'react';
import { Link, useSearchParams } from 'react-router';
import type { CartLogView } from '../../../src/api.ts';
import { useLive } from '../api/live.ts';
import type { Reading } from '../api/use-reading.ts';
import { Loading } from '../frame/states.tsx';
import { wordsOfOcean } from '../map/sea-words.ts';
import { Term } from '../words/term.tsx';
import { CartLog } from './cart-log.tsx';
import { CartStanding } from './cart-standing.tsx';
import { nameOfLine } from './name-of-line.ts';
import { areSame, gapsIn, type HeardLog, type Side, type SideLine, sidesOf } from './sides.ts';
import { useCartLog } from './use-cart-log.ts';

/** Each reading starts two programs, so they are read again and again only while the sides differ. */
const differingRereadMs = 4_000;

interface SidesProps {
  readonly cartId: string;
  readonly newest: unknown;
  readonly regions: readonly [string, string];
}

export function CartSides({ cartId, newest, regions: [first, second] }: SidesProps) {
  const readings = [useCartLog(cartId, newest, first), useCartLog(cartId, newest, second)] as const;
  const logs = [logOf(readings[0], cartId, first), logOf(readings[1], cartId, second)].filter((log) => log !== undefined);
  const sides = logs.length === readings.length ? sidesOf(logs) : undefined;
  const differ = sides !== undefined && !areSame(sides);
  const failures = readings.flatMap((one) => one.failure ?? []);
  // One region that knows nothing of a cart is news. Where neither does, there is no such cart.
  const isUnknown = failures.length === readings.length && failures.every(({ kind }) => kind === 'missing');
  const failure = failures.find(({ kind }) => kind === 'refused') ?? (isUnknown ? failures[0] : undefined);
  useRereadWhile(differ || (failures.length > 0 && !isUnknown), readings[0].reread, readings[1].reread);
  const [search] = useSearchParams();
  const chosen = logs.find(({ region }) => region === search.get('region')) ?? logs[0];
  if (sides === undefined || isUnknown)
    return failure ? <p className="note problem">{failure.message}</p> : <Loading what="the logs of both regions" />;
  return (
    <>
      {failure && <p className="note problem">{failure.message}</p>}
      <Verdict sides={sides} differ={differ} />
      <div className="sides">
        {sides.map((side) => (
          <SideCard key={side.region} side={side} />
        ))}
      </div>
      <nav aria-label="Whose logs" className="chips">
        {logs.map(({ region }) => (
          <Link key={region} to={`/carts/${cartId}?region=${region}`} aria-current={region === chosen?.region ? 'page' : undefined}>
            event by event, as {region} has it
          </Link>
        ))}
      </nav>
      {chosen && (
        <>
          <CartStanding key={`standing ${chosen.region}`} log={chosen} />
          <CartLog key={`${chosen.cartId} ${chosen.region}`} log={chosen} />
        </>
      )}
    </>
  );
}

type LogOfRegion = CartLogView & { readonly region: string };

/** A region that has heard nothing of a cart says that there is none. For this page it then has an empty one. */
function logOf({ value, failure }: Reading<CartLogView>, cartId: string, region: string): LogOfRegion | undefined {
  if (value !== undefined) return { ...value, region };
  return failure?.kind === 'missing' ? { cartId, region, partition: -1, guests: [], steps: [] } : undefined;
}

function useRereadWhile(differ: boolean, first: () => Promise<void>, second: () => Promise<void>): void {
  useEffect(() => {
    if (!differ) return;
    let isOver = false;
    let timer: ReturnType<typeof setTimeout>;
    // One after the other: on a busy machine a reading may take longer than the pause.
    const reread = async (): Promise<void> => {
      if (document.visibilityState === 'visible') await Promise.all([first(), second()]);
      if (!isOver) timer = setTimeout(() => void reread(), differingRereadMs);
    };
    timer = setTimeout(() => void reread(), differingRereadMs);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [differ, first, second]);
}

function Verdict({ sides, differ }: { readonly sides: readonly Side[]; readonly differ: boolean }) {
  const { stack } = useLive();
  const regions = sides.map(({ region }) => region).join(' and ');
  const gaps = gapsIn(sides);
  return (
    <div className={differ ? 'note notice' : 'note good'}>
      <p aria-live="polite">
        <strong>{differ ? `${regions} do not show the same cart now.` : `${regions} show the same cart, out of the same events.`}</strong>{' '}
        {gaps.join(' ')}
        {differ && gaps.length === 0 && 'One was read a moment before the other.'}
      </p>
      <p>
        {stack?.ocean === undefined ? 'The ocean does not answer.' : `The ocean: ${wordsOfOcean(stack.ocean)}`} Cut it and heal it on the{' '}
        <Link to="/map">Map</Link>.
      </p>
    </div>
  );
}

function SideCard({ side: { region, heard, lines } }: { readonly side: Side }) {
  return (
    <section aria-label={`The cart in ${region}`} className="card side">
      <h2>The cart in {region}</h2>
      {lines.length === 0 ? (
        <p>It is empty.</p>
      ) : (
        <table>
          <caption className="visually-hidden">The lines in {region}</caption>
          <thead>
            <tr>
              <th scope="col">Line</th>
              <th scope="col" className="number">
                Quantity
              </th>
            </tr>
          </thead>
          <tbody>
            {lines.map((line) => (
              <LineRow key={line.lineId} line={line} />
            ))}
          </tbody>
        </table>
      )}
      <h3>
        How far {region} has heard each <Term word="log" />
      </h3>
      <dl>
        {heard.map((one) => (
          <div key={one.of} className={one.lacks > 0 ? 'lacking' : undefined}>
            <dt>{one.of === region ? `its own, ${region}` : `its copy of ${one.of}`}</dt>
            <dd>{positionWords(one)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function LineRow({ line: { lineId, quantity, differs } }: { readonly line: SideLine }) {
  return (
    <tr data-line={lineId} className={differs ? 'differs' : undefined}>
      <th scope="row" title={lineId}>
        {nameOfLine(lineId)}
      </th>
      <td className="number">
        {quantity === 0 ? 'not here' : quantity}
        {differs && <span className="visually-hidden">, which differs</span>}
      </td>
    </tr>
  );
}

function positionWords({ offset, lacks }: HeardLog): string {
  const place = offset === undefined ? 'nothing of this cart' : `up to offset ${offset}`;
  return lacks === 0 ? place : `${place}; ${lacks} ${lacks === 1 ? 'event has' : 'events have'} not come`;
}
