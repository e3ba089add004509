import type { OrderPreview, PreviewLine } from '@cloakroom/contracts/http';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { changesOf, changeWords } from '../cart/cart-changes.ts';
import { useRemoveLine, useSetQuantity } from '../cart/cart.ts';
import { bestCoupon, Coupons } from '../cart/coupons.tsx';
import { formatPrice } from '../format.ts';
import { OrderLines, Totals } from '../orders/order-lines.tsx';
import { obstacleWords, orderableQuantity, unheardWords } from '../orders/order-words.ts';
import type { ShownCart } from '../cart/own-writes.ts';
import { StockHeard } from '../products/stock-heard.tsx';
import { Loading, ProblemNote } from '../components/problem-note.tsx';
import { ApiProblem } from '../api/request.ts';
import type { FrozenCart } from './use-frozen-cart.ts';
import type { Placing } from './use-place-order.ts';

interface SummaryProps {
  readonly preview: UseQueryResult<OrderPreview>;
  readonly isBusy: boolean;
  readonly isHeld: boolean;
  readonly frozen: FrozenCart;
  readonly live: ShownCart | undefined;
  readonly placing: Placing;
  readonly onPlace: () => void;
  readonly outcome: ReactNode;
}

export function OrderSummary({ preview, isBusy, isHeld, frozen, live, placing, onPlace, outcome }: SummaryProps) {
  const { data } = preview;
  const hasObstacle = data?.lines.some(({ obstacle }) => obstacle !== undefined) === true;
  // The question takes the place of the button.
  const asksForPrice = placing.error instanceof ApiProblem && placing.error.code === 'price_changed' && !placing.isPending;
  return (
    <section className="summary" aria-labelledby="summary" aria-busy={isBusy && !isHeld}>
      <h2 id="summary">Your order</h2>
      <ProblemNote error={preview.error} onRetry={() => void preview.refetch()} />
      {data === undefined && !preview.error && <Loading what="your order" />}
      {data && (
        <>
          <OrderLines
            name="Order lines"
            lines={data.lines}
            currency={data.currency}
            below={(line, title) =>
              line.obstacle && !isHeld && <LineObstacle line={line} lines={data.lines} title={title} onChanged={frozen.thaw} />
            }
          />
          {frozen.cart && live && !isHeld && <CameIn frozen={frozen} live={live} />}
          {live && !isHeld && <Coupons cart={live} preview={data} onChanged={frozen.thaw} />}
          <Totals subtotal={data.subtotal} discount={data.discount} coupon={bestCoupon(data)} total={data.total} currency={data.currency} />
        </>
      )}
      {!isHeld && <StockHeard heardAt={data?.stockHeardAt} />}
      {!isHeld && <UnheardRegions regions={data?.unheard} />}
      {outcome}
      {hasObstacle && !isHeld && (
        <p className="note problem" role="alert">
          Some of this cannot be ordered as it is. Change it above, then go on.
        </p>
      )}
      {!asksForPrice && (
        <button
          type="button"
          className="primary"
          aria-busy={placing.isPending}
          aria-disabled={placing.isPending || (!isHeld && (hasObstacle || data === undefined))}
          onClick={() => !placing.isPending && (isHeld || !hasObstacle) && onPlace()}
        >
          {buttonText(placing, data)}
        </button>
      )}
      <output className="visually-hidden">{placing.isPending && !placing.isUncertain && 'Placing your order…'}</output>
      <p className="quiet">
        Placed once, however often it is pressed. What else is in your cart stays there.
        {data && data.coupons.length > 0 && ' The coupons above go with this order, also those that do not count.'}
      </p>
    </section>
  );
}

/** Says which part of the cart may still change. */
function UnheardRegions({ regions }: { readonly regions: OrderPreview['unheard'] }) {
  const words = unheardWords(regions);
  return words === undefined ? null : (
    <p className="note notice">
      <output>{words}</output>
    </p>
  );
}

function buttonText({ isPending, isUncertain }: Placing, preview: OrderPreview | undefined): string {
  if (isPending) return isUncertain ? 'Finding out…' : 'Placing your order…';
  if (isUncertain) return 'Ask again';
  return preview ? `Place order · ${formatPrice(preview.total, preview.currency)}` : 'Place order';
}

interface LineObstacleProps {
  readonly line: PreviewLine;
  readonly lines: readonly PreviewLine[];
  readonly title: string;
  readonly onChanged: () => void;
}

function LineObstacle({ line, lines, title, onChanged }: LineObstacleProps) {
  const { lineId, inStock, obstacle } = line;
  const set = useSetQuantity(lineId);
  const remove = useRemoveLine(lineId, () => {});
  if (obstacle === undefined) return null;
  const most = orderableQuantity(line, lines);
  const busy = set.isPending || remove.isPending;
  const onSuccess = (): void => {
    // The button disappears together with the problem.
    document.getElementById('summary')?.closest('section')?.querySelector<HTMLElement>('button.primary')?.focus();
    onChanged();
  };
  return (
    <div className="obstacle">
      <p className="bad-text">{obstacleWords(obstacle, inStock)}</p>
      <div className="row">
        {most > 0 && (
          <button type="button" aria-disabled={busy} onClick={() => !busy && set.mutate(most, { onSuccess })}>
            Take {most}
          </button>
        )}
        <button
          type="button"
          aria-label={`Remove ${title}`}
          aria-disabled={busy}
          onClick={() => !busy && remove.mutate(undefined, { onSuccess })}
        >
          Remove
        </button>
      </div>
      <ProblemNote error={set.error ?? remove.error} />
    </div>
  );
}

/** Lines that another device added since this page was opened. They are part of this order only if the person takes them in. */
function CameIn({ frozen, live }: { readonly frozen: FrozenCart; readonly live: ShownCart }) {
  const changes = frozen.cart && frozen.cart.seen !== live.seen ? changesOf(frozen.cart, live) : [];
  return (
    <div aria-live="polite">
      {changes.length > 0 && (
        <div className="note notice">
          <div>
            <p>
              <strong>Your cart has changed on another device.</strong> This order stays as it is:
            </p>
            <ul className="changes">
              {changes.map((change) => (
                <li key={change.lineId}>{changeWords(change)}</li>
              ))}
            </ul>
          </div>
          <button type="button" onClick={frozen.thaw}>
            Take it into this order
          </button>
        </div>
      )}
    </div>
  );
}
