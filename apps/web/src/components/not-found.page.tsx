import { Link } from 'react-router';

export function NotFoundPage({ what = 'page' }: { readonly what?: string }) {
  return (
    <div className="empty">
      <title>Not found · Cloakroom</title>
      <img src="/empty-hanger.svg" alt="" width="160" height="120" />
      <h1>Nothing hangs on this peg</h1>
      <p className="quiet">There is no such {what}. It may have moved, or the address has a typo.</p>
      <div className="row">
        <Link to="/" className="button primary">
          To the shop
        </Link>
        <Link to="/products" className="button">
          All products
        </Link>
      </div>
    </div>
  );
}
