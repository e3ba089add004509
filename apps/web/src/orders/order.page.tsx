import type { Order } from '@cloakroom/contracts/http';
import { Link, useLocation, useParams } from 'react-router';
import { AddressLines } from '../account/address-lines.tsx';
import { formatTime } from '../format.ts';
import { NotFoundPage } from '../components/not-found.page.tsx';
import { OrderLines, Totals } from './order-lines.tsx';
import { OrderStatus, orderNumber } from './order-status.tsx';
import { OrderTimeline } from './order-timeline.tsx';
import { cancelledWords } from './order-words.ts';
import { paidWithWords } from './payment-methods.ts';
import { useOrder } from './orders.ts';
import { Loading, ProblemNote } from '../components/problem-note.tsx';
import { ApiProblem } from '../api/request.ts';
import { useSession } from '../session/session.tsx';

export default function OrderPage() {
  const { orderId = '' } = useParams();
  const { session, error, retry } = useSession();
  const order = useOrder(orderId);
  // The page says this once. After a reload the order looks like any other.
  const placedNow = (useLocation().state as { placedNow?: boolean } | null)?.placedNow === true;
  if (order.error instanceof ApiProblem && order.error.code === 'not_found') return <NotFoundPage what="order" />;
  return (
    <>
      <title>{`Order ${orderNumber(orderId)} · Cloakroom`}</title>
      <nav aria-label="Breadcrumb" className="crumbs">
        <Link to="/account">Account</Link>
        <Link to="/orders">Orders</Link>
        <span>{orderNumber(orderId)}</span>
      </nav>
      <div className="cart-head">
        <h1>{placedNow && order.data ? placedHeading(order.data) : `Order ${orderNumber(orderId)}`}</h1>
        {order.data && (
          <span className="row quiet">
            <OrderStatus order={order.data} /> {formatTime(order.data.placedAt)}
          </span>
        )}
      </div>
      <ProblemNote error={error ?? order.error} onRetry={() => (error ? retry() : void order.refetch())} />
      {session !== undefined && session.state !== 'user' && (
        <p>
          <Link to={`/sign-in?next=${encodeURIComponent(`/orders/${orderId}`)}`}>Sign in</Link> to see your order.
        </p>
      )}
      {order.isLoading && <Loading what="your order" />}
      {order.data && <OrderSheet order={order.data} />}
    </>
  );
}

function placedHeading({ status }: Order): string {
  if (status === 'placed') return 'Thank you. Your order is placed.';
  return status === 'pending' ? 'Thank you. Almost there.' : 'This order did not go through';
}

function OrderSheet({ order }: { readonly order: Order }) {
  return (
    <div className="cart-columns">
      <div className="sections">
        <StatusNote order={order} />
        <section className="sheet" aria-labelledby="what">
          <h2 id="what">What you ordered</h2>
          <OrderLines name="Ordered" lines={order.lines} currency={order.currency} />
          <Totals {...order} />
          <p className="quiet">{paidWithWords(order)}</p>
        </section>
      </div>
      <div className="sections">
        <section className="sheet" aria-labelledby="steps">
          <h2 id="steps">How it went</h2>
          <OrderTimeline steps={order.steps} isPending={order.status === 'pending'} />
        </section>
        <section className="sheet" aria-labelledby="to">
          <h2 id="to">Deliver to</h2>
          <AddressLines address={order.address} />
        </section>
      </div>
    </div>
  );
}

/** The live region stands before its words change, so a screen reader announces that the payment came through. */
function StatusNote({ order }: { readonly order: Order }) {
  const { status, reason } = order;
  const tone = { placed: 'good', pending: 'notice', cancelled: 'problem' }[status];
  return (
    <div className={`note ${tone}`} aria-live="polite">
      <p>
        {status === 'placed' && 'Paid. Nothing will be sent: this is a reference shop.'}
        {status === 'pending' && 'Your payment is being confirmed. This page tells as soon as it is known; there is nothing to press.'}
        {status === 'cancelled' && cancelledWords(reason)} {status === 'cancelled' && <Link to="/cart">To your cart</Link>}
      </p>
    </div>
  );
}
