import { Link } from 'react-router';
import { Loading, ProblemNote } from '../components/problem-note.tsx';
import { ProductCard } from '../products/product-card.tsx';
import { useProductsById } from '../products/products.ts';
import { CopyNote } from './profile-copy.tsx';
import { useProfile } from './update-profile.tsx';

/** Products that this person looked at, newest first. The page leaves out products that the shop no longer has. */
export default function RecentlyViewedPage() {
  const profile = useProfile();
  const ids = profile.data?.recentlyViewed ?? [];
  const products = useProductsById(ids);
  return (
    <section aria-labelledby="viewed">
      <title>Recently viewed · Cloakroom</title>
      <h2 id="viewed">Recently viewed</h2>
      {profile.isPending && <Loading what="what you viewed" />}
      <ProblemNote error={profile.error} onRetry={() => void profile.refetch()} />
      <CopyNote profile={profile.data} onRetry={() => void profile.refetch()} />
      {profile.data && ids.length === 0 && (
        <p className="quiet">
          Nothing yet. <Link to="/products">Look around</Link>.
        </p>
      )}
      <ul className="grid" aria-labelledby="viewed">
        {ids
          .flatMap((id) => products.get(id) ?? [])
          .map((product) => (
            <ProductCard key={product.productId} product={product} />
          ))}
      </ul>
    </section>
  );
}
