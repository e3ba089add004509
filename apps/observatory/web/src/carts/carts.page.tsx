import { useEffect } from 'react';
import { Link, useParams } from 'react-router';
import { isMine } from '../api/request-log.ts';
import { useLive } from '../api/live.ts';
import { traineeId } from '../api/trainee.ts';
import { Loading, NothingYet } from '../frame/states.tsx';
import { regionsOf } from '../map/place-nodes.ts';
import { shortId } from '../words/numbers.ts';
import { Term, WordList } from '../words/term.tsx';
import { CartLog } from './cart-log.tsx';
import { CartSides } from './cart-sides.tsx';
import { CartStanding } from './cart-standing.tsx';
import { useCartLog } from './use-cart-log.ts';

/** The log of one cart, and the cart at any place in it. */
export default function CartsPage() {
  const { cartId } = useParams();
  const { requests, stack } = useLive();
  useEffect(() => {
    document.title = 'Cart · Observatory';
  }, []);
  const mine = requests.filter((request) => isMine(request, traineeId()));
  // A cart has the id of its person. A guest that signs in has had two.
  const known = [...new Set(mine.flatMap(({ subject }) => (subject === undefined ? [] : [subject])))];
  const chosen = cartId ?? known[0];
  const newest = mine.find(({ subject }) => subject === chosen)?.settledMs;
  const [first, second] = stack === undefined ? [] : regionsOf(stack);
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
      {chosen === undefined && <NothingYet title="No cart of yours has been seen yet" />}
      {chosen !== undefined && stack === undefined && <Loading what="the log" />}
      {chosen !== undefined &&
        stack !== undefined &&
        (first === undefined || second === undefined ? (
          <OneRegion cartId={chosen} newest={newest} />
        ) : (
          <CartSides key={chosen} cartId={chosen} newest={newest} regions={[first, second]} />
        ))}
      <footer className="words-here">
        <WordList of={['log', 'projector', 'offset', 'token', 'lag', 'dot', 'subject', 'trainee']} />
      </footer>
    </div>
  );
}

function OneRegion({ cartId, newest }: { readonly cartId: string; readonly newest: unknown }) {
  const { value, failure } = useCartLog(cartId, newest);
  return (
    <>
      {failure && !value && failure.kind !== 'away' && <p className="note problem">{failure.message}</p>}
      {!value && !failure && <Loading what="the log" />}
      {value && (
        <>
          <CartStanding log={value} />
          <CartLog key={value.cartId} log={value} />
        </>
      )}
    </>
  );
}
