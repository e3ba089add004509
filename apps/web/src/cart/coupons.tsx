import type { Cart, CartCoupon, OrderPreview, PreviewCoupon } from '@cloakroom/contracts/http';
import { useRef, type FormEvent } from 'react';
import { useApplyCoupon, useRemoveCoupon } from './cart.ts';
import { textOf } from '../components/form.ts';
import { formatPrice } from '../format.ts';
import { Icon } from '../components/icons.tsx';
import { obstacleWords } from '../orders/order-words.ts';
import { ProblemNote } from '../components/problem-note.tsx';

interface CouponsProps {
  readonly cart: Cart;
  /** The order as it would be now. Undefined for a guest: the shop judges their coupons at check-out. */
  readonly preview: OrderPreview | undefined;
  readonly onChanged?: () => void;
}

/** The cart may hold any number of coupons. Only the one that saves most counts. */
export function Coupons({ cart, preview, onChanged }: CouponsProps) {
  const form = useRef<HTMLFormElement>(null);
  const apply = useApplyCoupon();
  const remove = useRemoveCoupon();
  const coupons = cart.coupons ?? [];
  const onRemoved = (): void => {
    form.current?.querySelector('input')?.focus();
    onChanged?.();
  };
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const code = textOf(new FormData(event.currentTarget), 'code').toUpperCase();
    const onSuccess = (): void => {
      form.current?.reset();
      onChanged?.();
    };
    if (code !== '' && !apply.isPending) apply.mutate(code, { onSuccess });
  };
  return (
    <div className="coupons">
      <form ref={form} onSubmit={submit} className="coupon-form">
        <label className="field">
          Coupon
          <input
            name="code"
            autoComplete="off"
            autoCapitalize="characters"
            spellCheck={false}
            maxLength={32}
            pattern="[A-Za-z0-9\-]{1,32}"
            title="Letters, digits and dashes"
            required
          />
        </label>
        <button aria-busy={apply.isPending}>Add</button>
      </form>
      <div aria-live="polite">
        {coupons.length > 0 && (
          <ul className="coupon-list" aria-label="Coupons">
            {coupons.map((coupon) => (
              <CouponChip
                key={coupon.code}
                coupon={coupon}
                judged={preview?.coupons.find(({ code }) => code === coupon.code)}
                currency={cart.currency}
                onRemove={() => remove.mutate(coupon, { onSuccess: onRemoved })}
              />
            ))}
          </ul>
        )}
      </div>
      <ProblemNote error={apply.error ?? remove.error} />
    </div>
  );
}

interface CouponChipProps {
  readonly coupon: CartCoupon;
  readonly judged: PreviewCoupon | undefined;
  readonly currency: string;
  readonly onRemove: () => void;
}

function CouponChip({ coupon: { code }, judged, currency, onRemove }: CouponChipProps) {
  const words = judged ? couponWords(judged, currency) : 'Judged at check-out.';
  const tone = judged === undefined || judged.obstacle === 'not_the_best' ? 'quiet' : judged.obstacle ? 'bad' : 'good';
  return (
    <li className="coupon" data-tone={tone} aria-label={code}>
      <Icon name="ticket" size={18} />
      <span>
        <strong>{code}</strong>
        <span className="coupon-words">{words}</span>
      </span>
      <button type="button" className="icon-button" aria-label={`Remove coupon ${code}`} onClick={onRemove}>
        <Icon name="close" size={16} />
      </button>
    </li>
  );
}

function couponWords({ description, discount, obstacle }: PreviewCoupon, currency: string): string {
  if (obstacle === undefined) return `${description}: −${formatPrice(discount, currency)}`;
  return description === '' ? obstacleWords(obstacle) : `${description}. ${obstacleWords(obstacle)}`;
}

/** The coupon that counts. */
export const bestCoupon = (preview: OrderPreview): string | undefined =>
  preview.coupons.find(({ obstacle, discount }) => obstacle === undefined && discount > 0)?.code;
