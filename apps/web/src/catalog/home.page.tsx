import type { FacetCount, Product } from '@cloakroom/contracts/http';
import { Link } from 'react-router';
import { plural } from '../format.ts';
import { ProblemNote } from '../components/problem-note.tsx';
import { categoryPath } from '../products/product-card.tsx';
import { tintOf, useCategories, useCategoryPictures } from '../products/products.ts';
import { useSession } from '../session/session.tsx';
import { Shelf } from '../products/product-row.tsx';

/** With more shelves than this, a person would rather search. */
const shelfCount = 3;

export function HomePage() {
  const { data: categories, error, refetch } = useCategories();
  return (
    <div className="home">
      <title>Cloakroom</title>
      <Hero />
      <ProblemNote error={error} onRetry={() => void refetch()} />
      <Shelf title="New in" shows={{ sort: 'newest' }} more={{ to: '/products?sort=newest', label: 'See all that is new' }} eager />
      <CategoryTiles categories={categories} />
      {categories?.slice(0, shelfCount).map(({ value }) => (
        <Shelf
          key={value}
          title={value}
          shows={{ category: value }}
          more={{ to: categoryPath(value), label: `All ${value.toLowerCase()}` }}
        />
      ))}
      <Promises />
    </div>
  );
}

function Hero() {
  const { session } = useSession();
  return (
    <section className="hero" aria-labelledby="hero-title">
      <div className="hero-text">
        <p className="eyebrow">Coats, bags and what belongs to them</p>
        <h1 id="hero-title">Hang it here, find it anywhere.</h1>
        <p className="lead">Put something into your cart on one device and pick it up on the next. No account needed until you want one.</p>
        <div className="row">
          <Link to="/products" className="button primary">
            Browse everything
          </Link>
          {session?.state === 'user' ? (
            <Link to="/account" className="button">
              Your account
            </Link>
          ) : (
            <Link to="/sign-up" className="button" data-unknown={session === undefined || undefined}>
              Create an account
            </Link>
          )}
        </div>
      </div>
      <img className="hero-picture" src="/hero.svg" alt="" width="640" height="480" fetchPriority="high" />
    </section>
  );
}

const tileCountGuess = 8;

function CategoryTiles({ categories }: { readonly categories: readonly FacetCount[] | undefined }) {
  const pictures = useCategoryPictures(categories?.map(({ value }) => value) ?? []);
  return (
    <section className="shelf" aria-labelledby="by-category">
      <div className="shelf-head">
        <h2 id="by-category">Shop by category</h2>
      </div>
      <ul className="tiles" aria-labelledby="by-category">
        {categories?.map(({ value, count }) => <Tile key={value} category={value} count={count} product={pictures.get(value)} />) ??
          Array.from({ length: tileCountGuess }, (_, index) => <li key={index} className="tile skeleton" aria-hidden="true" />)}
      </ul>
    </section>
  );
}

function Tile({ category, count, product }: { readonly category: string; readonly count: number; readonly product: Product | undefined }) {
  return (
    <li className="tile" data-tint={tintOf(category)}>
      <Link to={categoryPath(category)}>
        <span>
          <span className="tile-name">{category}</span>
          <span className="quiet">{plural(count, 'product')}</span>
        </span>
        {product && <img src={product.image} alt="" width="88" height="88" loading="lazy" />}
      </Link>
    </li>
  );
}

/** Names three things that the shop does. The session bar or a second device shows each of them. */
function Promises() {
  return (
    <ul className="promises" aria-label="What this shop does">
      <li>
        <h2>Your cart follows you</h2>
        <p>Add as a guest, sign in later: both carts become one, and no item is lost or counted twice.</p>
      </li>
      <li>
        <h2>Open on two devices</h2>
        <p>What changes on one shows on the other within a moment, without reloading.</p>
      </li>
      <li>
        <h2>Signed out means out</h2>
        <p>End a device in your account and it is out everywhere, within seconds.</p>
      </li>
    </ul>
  );
}
