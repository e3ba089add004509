import { useEffect, useRef } from 'react';
import { Link, useParams } from 'react-router';
import type { CartLogView, PartitionView, PlacesView } from '../../../src/api.ts';
import { isMine } from '../api/request-log.ts';
import { useLive } from '../api/live.ts';
import { traineeId } from '../api/trainee.ts';
import { useReading } from '../api/use-reading.ts';
import { Loading, NothingYet } from '../frame/states.tsx';
import { shortId } from '../words/numbers.ts';
import { Term, WordList } from '../words/term.tsx';
import { CartDevices } from './cart-devices.tsx';
import { CartLog } from './cart-log.tsx';

/** The log of one cart, and the cart at any place in it. */
export default function CartsPage() {
  const { cartId } = useParams();
  const { requests } = useLive();
  useEffect(() => {
    document.title = 'Cart · Observatory';
  }, []);
  const mine = requests.filter((request) => isMine(request, traineeId()));
  // A cart has the id of its person. A guest that signs in has had two.
  const known = [...new Set(mine.flatMap(({ subject }) => (subject === undefined ? [] : [subject])))];
  const chosen = cartId ?? known[0];
  // The log is read by a program of cart's own, which takes a second. So it is read again only when this person has done something.
  const newest = mine.find(({ subject }) => subject === chosen)?.settledMs;
  const { value, failure, reread } = useReading<CartLogView>(chosen === undefined ? undefined : `/api/carts/${encodeURIComponent(chosen)}`);
  const readFor = useRef(newest);
  useEffect(() => {
    if (readFor.current === newest) return;
    readFor.current = newest;
    void reread();
  }, [newest, reread]);
  return (
    <div className="cart-page">
      <h1>One cart, as its log tells it</h1>
      <p className="lead">
        A cart is nothing but the events in its <Term word="log" />. The <Term word="projector" /> folds them, and so does this page, by the
        same rules: go back to any place, and see the cart as it stood there.
      </p>
      {known.length > 0 && (
        <nav aria-label="Carts" className="chips">
          {known.map((id) => (
            <Link key={id} to={`/carts/${id}`} title={id} aria-current={id === chosen ? 'page' : undefined}>
              {id.startsWith('g_') ? 'guest' : 'user'} {shortId(id)}
            </Link>
          ))}
        </nav>
      )}
      {failure && !value && failure.kind !== 'away' && <p className="note problem">{failure.message}</p>}
      {chosen === undefined && <NothingYet title="No cart of yours has been seen yet" />}
      {chosen !== undefined && !value && !failure && <Loading what="the log" />}
      {value && (
        <>
          <Standing log={value} />
          <CartLog key={value.cartId} log={value} />
        </>
      )}
      <footer className="words-here">
        <WordList of={['log', 'projector', 'offset', 'token', 'lag', 'dot', 'subject', 'trainee']} />
      </footer>
    </div>
  );
}

const watermarkRereadMs = 1_000;

/** How far the view has come in this cart's partition, and each device that reads it. The partition's records belong to many carts. */
function Standing({ log: { cartId, partition, steps } }: { readonly log: CartLogView }) {
  const { value } = useReading<PlacesView>('/api/places', watermarkRereadMs);
  const here = value?.partitions.find((one) => one.partition === partition);
  return (
    <>
      {here && <Watermark of={here} />}
      <CartDevices cartId={cartId} view={here} newest={steps.at(-1)?.offset} />
    </>
  );
}

function Watermark({ of: { nextOffset, owner, lagRecords = 0 } }: { readonly of: PartitionView }) {
  return (
    <p className="watermark">
      The view of this partition, written by {owner}, {nextOffset === 0 ? 'holds nothing yet' : `has applied offset ${nextOffset - 1}`}
      {lagRecords === 0 ? ': no record waits.' : `: behind by ${lagRecords} ${lagRecords === 1 ? 'record' : 'records'}.`}
    </p>
  );
}
