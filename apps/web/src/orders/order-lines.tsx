import type { OrderLine } from '@cloakroom/contracts/http';
import type { ReactNode } from 'react';
import { formatPrice, titleOf } from '../format.ts';
import { ProductPicture } from '../products/product-card.tsx';
import { useProductsById } from '../products/products.ts';

interface OrderLinesProps<Line extends OrderLine> {
  readonly name: string;
  readonly lines: readonly Line[];
  readonly currency: string;
  /** A note or a button below a line. */
  readonly below?: (line: Line, title: string) => ReactNode;
}

/** The lines of an order. The pictures are from today's catalog. Names and prices are the order's own. */
export function OrderLines<Line extends OrderLine>({ name, lines, currency, below }: OrderLinesProps<Line>) {
  const products = useProductsById(lines.map(({ productId }) => productId));
  return (
    <ul className="order-lines" aria-label={name}>
      {lines.map((line) => {
        const title = titleOf(line);
        const options = Object.entries(line.options);
        return (
          <li key={line.lineId} className="order-line" aria-label={`${line.quantity} × ${title}`}>
            <ProductPicture product={products.get(line.productId)} size="tiny" />
            <div className="line-name">
              <strong>{line.name}</strong>
              {options.length > 0 && <span className="quiet">{options.map(([option, value]) => `${option}: ${value}`).join(' · ')}</span>}
              <span className="quiet">
                {line.quantity} × {formatPrice(line.unitPrice, currency)}
              </span>
            </div>
            <span className="price">{formatPrice(line.quantity * line.unitPrice, currency)}</span>
            {below?.(line, title)}
          </li>
        );
      })}
    </ul>
  );
}

interface TotalsProps {
  /** Undefined: another part of the page says it already. */
  readonly subtotal?: number;
  readonly discount: number;
  /** The coupon that counts. */
  readonly coupon?: string | undefined;
  readonly total: number;
  readonly currency: string;
}

export function Totals({ subtotal, discount, coupon, total, currency }: TotalsProps) {
  return (
    <dl className="totals">
      {discount > 0 && (
        <>
          {subtotal !== undefined && (
            <div>
              <dt>Subtotal</dt>
              <dd>{formatPrice(subtotal, currency)}</dd>
            </div>
          )}
          <div className="good-text">
            <dt>Discount{coupon !== undefined && coupon !== '' && `, ${coupon}`}</dt>
            <dd>−{formatPrice(discount, currency)}</dd>
          </div>
        </>
      )}
      <div className="total">
        <dt>Total</dt>
        <dd data-testid="total">{formatPrice(total, currency)}</dd>
      </div>
    </dl>
  );
}
