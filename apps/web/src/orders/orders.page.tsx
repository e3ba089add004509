import type { Order } from '@cloakroom/contracts/http';
import { Link, useSearchParams } from 'react-router';
import { formatPrice, formatTime, plural } from '../format.ts';
import { OrderStatus, orderNumber } from './order-status.tsx';
import { useOrders } from './orders.ts';
import { Loading, ProblemNote } from '../components/problem-note.tsx';
import { ProductPicture } from '../products/product-card.tsx';
import { useProductsById } from '../products/products.ts';
import { useSession } from '../session/session.tsx';

/** This person's orders, newest first, including cancelled ones. */
export default function OrdersPage() {
  const { session } = useSession();
  const [params] = useSearchParams();
  const page = Math.max(1, Math.trunc(Number(params.get('page'))) || 1);
  const orders = useOrders(page);
  if (session?.state !== 'user')
    return (
      <p>
        <title>Orders · Cloakroom</title>
        <Link to="/sign-in?next=/orders">Sign in</Link> to see your orders.
      </p>
    );
  const { data } = orders;
  return (
    <section aria-labelledby="orders" className="sheet">
      <title>Orders · Cloakroom</title>
      <h2 id="orders">Orders</h2>
      {orders.isPending && <Loading what="your orders" />}
      <ProblemNote error={orders.error} onRetry={() => void orders.refetch()} />
      {data && data.total === 0 && (
        <div className="empty">
          <img src="/empty-hanger.svg" alt="" width="160" height="120" />
          <p>You have not ordered anything yet.</p>
          <Link to="/products" className="button primary">
            Browse the shop
          </Link>
        </div>
      )}
      {data && data.items.length > 0 && (
        <ul className="orders" aria-labelledby="orders">
          {data.items.map((order) => (
            <OrderRow key={order.orderId} order={order} />
          ))}
        </ul>
      )}
      {data && <Pages page={page} last={Math.ceil(data.total / data.pageSize)} />}
    </section>
  );
}

/** A small screen has room for so many pictures in a row. */
const pictureCount = 3;

function OrderRow({ order }: { readonly order: Order }) {
  const { orderId, lines, placedAt, total, currency } = order;
  const shown = lines.slice(0, pictureCount);
  const products = useProductsById(shown.map(({ productId }) => productId));
  const count = lines.reduce((sum, { quantity }) => sum + quantity, 0);
  return (
    <li className="order-row" aria-label={`Order ${orderNumber(orderId)}`}>
      <div className="order-pictures" aria-hidden="true">
        {shown.map((line) => (
          <ProductPicture key={line.lineId} product={products.get(line.productId)} size="tiny" />
        ))}
      </div>
      <div className="line-name">
        <Link to={`/orders/${orderId}`}>Order {orderNumber(orderId)}</Link>
        <span className="quiet">
          {formatTime(placedAt)} · {plural(count, 'item')}
        </span>
      </div>
      <OrderStatus order={order} />
      <span className="price">{formatPrice(total, currency)}</span>
    </li>
  );
}

function Pages({ page, last }: { readonly page: number; readonly last: number }) {
  if (last < 2) return null;
  return (
    <nav className="pages" aria-label="Pages of orders">
      {page > 1 && (
        <Link to={`?page=${page - 1}`} className="button">
          Newer
        </Link>
      )}
      <span>
        Page {page} of {last}
      </span>
      {page < last && (
        <Link to={`?page=${page + 1}`} className="button">
          Older
        </Link>
      )}
    </nav>
  );
}
