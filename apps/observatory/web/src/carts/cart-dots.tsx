/** Every dot that a cart holds or that died in it, by the partition of the log in which it was made. */
import { Link } from 'react-router';
import type { CartLogView } from '../../../src/api.ts';
import { shortId } from '../words/numbers.ts';
import { Term } from '../words/term.tsx';
import { dotsByCart, type DotView } from './dots.ts';
import { nameOfLine } from './name-of-line.ts';

export function CartDots({ log, at }: { readonly log: CartLogView; readonly at: number }) {
  return (
    <section aria-labelledby="cart-dots" className="card cart-dots">
      <h2 id="cart-dots">
        <Term word="dot">Dots</Term> by partition
      </h2>
      {dotsByCart(log, at).map(({ cartId, partition, dots, deadUnnamed }) => (
        <div key={cartId}>
          <h3>
            Partition {partition}:{' '}
            {cartId === log.cartId ? (
              'this cart'
            ) : (
              <Link to={`/carts/${cartId}`} title={cartId}>
                guest {shortId(cartId)}
              </Link>
            )}
          </h3>
          {dots.length === 0 && deadUnnamed === 0 && <p className="quiet">None is kept.</p>}
          {dots.length > 0 && (
            <ul>
              {dots.map((dot) => (
                <Dot key={dot.id} dot={dot} />
              ))}
            </ul>
          )}
          {deadUnnamed > 0 && (
            <p className="quiet">
              {deadUnnamed === 1 ? 'Another id is' : `${deadUnnamed} more ids are`} dead here: dots that the guest removed, and the removals
              themselves. The join names no lines for them. <Link to={`/carts/${cartId}`}>The guest’s own log</Link> does.
            </p>
          )}
        </div>
      ))}
    </section>
  );
}

function Dot({ dot: { id, isLive, of, offset } }: { readonly dot: DotView }) {
  return (
    <li className={isLive ? 'live' : 'dead'} title={id}>
      {offset !== undefined && <span className="dot-offset">{offset}</span>}
      <span>{nameOfLine(of)}</span>
      <span className="quiet">{isLive ? 'live' : 'dead'}</span>
    </li>
  );
}
