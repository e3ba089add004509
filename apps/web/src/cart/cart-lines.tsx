import type { Cart, CartLine } from '@cloakroom/contracts/http';
import { useRef } from 'react';
import { Link } from 'react-router';
import { enoughFor } from './cart-changes.ts';
import { openOf, useRemoveLine, useRestoreLines, useSetQuantity } from './cart.ts';
import { formatPrice } from '../format.ts';
import { Icon } from '../components/icons.tsx';
import { usePending } from './pending.tsx';
import { ProblemNote } from '../components/problem-note.tsx';
import { colourOf, ProductPicture, productPath } from '../products/product-card.tsx';
import { useToast } from '../components/toasts.tsx';

/** The cart takes no larger quantity in one line. */
export const quantityMax = 99;

export function CartLines({ cart, compact = false }: { readonly cart: Cart; readonly compact?: boolean }) {
  const list = useRef<HTMLUListElement>(null);
  const offerUndo = useOfferUndo();
  const onRemoved = (line: CartLine, title: string): void => {
    offerUndo([line], `Removed ${title}.`);
    focusNeighbour(list.current, line.lineId);
  };
  return (
    <ul ref={list} className={compact ? 'lines compact' : 'lines'} aria-label="Cart lines">
      {cart.lines.map((line) => (
        <Line key={line.lineId} line={line} enough={enoughFor(line, cart.lines)} onRemoved={onRemoved} />
      ))}
    </ul>
  );
}

/** Says what was removed and offers to add it again, if the shop still has it. */
export function useOfferUndo() {
  const toast = useToast();
  const { mutate } = useRestoreLines();
  return (lines: readonly CartLine[], text: string): void => {
    const wishes = lines.filter(({ available }) => available);
    const onError = (): void => toast({ text: 'It could not be put back. Add it again from its page.' });
    toast({ text, ...(wishes.length > 0 && { action: { label: 'Undo', run: () => mutate(wishes, { onError }) } }) });
  };
}

function stockWords(inStock: number, enough: number): string {
  if (inStock === 0) return 'Sold out. It cannot be ordered now.';
  return enough === 0 ? `Only ${inStock} in stock, and your other lines take them.` : `Only ${inStock} in stock.`;
}

/** A removed line takes its focused button with it. The focus moves to the next line, or to the top of the page or dialog. */
function focusNeighbour(list: HTMLUListElement | null, lineId: string): void {
  const line = [...(list?.children ?? [])].find((child) => child instanceof HTMLElement && child.dataset['line'] === lineId);
  if (!line?.contains(document.activeElement)) return;
  const neighbour = line.nextElementSibling ?? line.previousElementSibling;
  const place = list?.closest('[role="dialog"]')?.querySelector<HTMLElement>('button') ?? list?.closest('main');
  (neighbour?.querySelector<HTMLElement>('button.remove') ?? place)?.focus();
}

interface LineProps {
  readonly line: CartLine;
  /** The stock for this line, if it is less than the line wants. */
  readonly enough: number | undefined;
  readonly onRemoved: (line: CartLine, title: string) => void;
}

function Line({ line, enough, onRemoved }: LineProps) {
  const set = useSetQuantity(line.lineId);
  const options = Object.entries(line.options);
  const title = [line.name, ...options.map(([, value]) => value)].join(', ');
  const remove = useRemoveLine(line.lineId, () => onRemoved(line, title));
  const unsure = openOf(usePending(), line.lineId, line.productId).length > 0;
  return (
    <li className="line" aria-label={title} data-line={line.lineId} data-leaving={remove.isPending || undefined}>
      <ProductPicture product={line.available ? line : undefined} size="tiny" colour={colourOf(line.options)} />
      <div className="line-name">
        <Link to={productPath(line.productId)}>{line.name}</Link>
        <span className="quiet">{options.map(([name, value]) => `${name}: ${value}`).join(' · ')}</span>
        <span className="quiet">
          {line.available ? `${formatPrice(line.unitPrice, line.currency)} each` : 'Not counted in the subtotal'}
        </span>
      </div>
      <fieldset className="stepper" aria-label={`Quantity of ${title}`}>
        <button type="button" aria-label="One less" disabled={unsure || line.quantity <= 1} onClick={() => set.mutate(line.quantity - 1)}>
          <Icon name="minus" size={16} />
        </button>
        <output aria-label="Quantity">{line.quantity}</output>
        <button
          type="button"
          aria-label="One more"
          disabled={unsure || line.quantity >= quantityMax}
          onClick={() => set.mutate(line.quantity + 1)}
        >
          <Icon name="plus" size={16} />
        </button>
      </fieldset>
      <span className="price">{formatPrice(line.quantity * line.unitPrice, line.currency)}</span>
      <button
        type="button"
        className="plain remove"
        aria-label={`Remove ${title}`}
        aria-disabled={remove.isPending || unsure}
        onClick={() => !remove.isPending && !unsure && remove.mutate()}
      >
        Remove
      </button>
      {enough !== undefined && !unsure && (
        <div className="line-note row">
          <output>{stockWords(line.inStock ?? 0, enough)}</output>
          {enough > 0 && (
            <button type="button" aria-label={`Take ${enough} of ${title}`} onClick={() => set.mutate(enough)}>
              Take {enough}
            </button>
          )}
        </div>
      )}
      {unsure && <p className="line-note">Not sure yet, still asking.</p>}
      <ProblemNote error={set.error ?? remove.error} />
    </li>
  );
}
