import type { Product } from '@cloakroom/contracts/http';
import { useRef, useState, type FormEvent } from 'react';
import { useCartDrawer } from '../cart/cart-drawer-state.tsx';
import { quantityMax } from '../cart/cart-lines.tsx';
import { useAddLine } from '../cart/cart.ts';
import { textOf } from '../components/form.ts';
import { Icon } from '../components/icons.tsx';
import { titleOf } from '../format.ts';
import { PendingNote, usePending } from '../cart/pending.tsx';
import { ProblemNote } from '../components/problem-note.tsx';
import { isColourOption, Swatch } from '../products/swatch.tsx';

interface AddToCartProps {
  readonly product: Product;
  /** Called when the person chooses a colour. */
  readonly onColour: (colour: string) => void;
}

export function AddToCart({ product, onColour }: AddToCartProps) {
  const add = useAddLine();
  const { open } = useCartDrawer();
  const underWay = useRef(false);
  // Another press would be another wish, so the page first asks for the outcome of the earlier one.
  const unsure = usePending().find(({ productId }) => productId === product.productId);
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    // A double click is one wish. The second click may come before the page has drawn that the first is under way.
    if (underWay.current || unsure || product.stock === 0) return;
    underWay.current = true;
    const form = new FormData(event.currentTarget);
    const quantity = Math.min(quantityMax, Math.max(1, Math.trunc(Number(form.get('quantity'))) || 1));
    const options = Object.fromEntries(product.options.map(({ name }) => [name, textOf(form, `option-${name}`)]));
    const title = titleOf({ name: product.name, options });
    add.mutate(
      { wish: { productId: product.productId, options, quantity }, title },
      {
        onSuccess: () => open(`${quantity} × ${title}`),
        onSettled: () => (underWay.current = false),
      },
    );
  };
  return (
    <form onSubmit={submit} className="stack">
      {product.options.map((option) => (
        <OptionChoice key={option.name} option={option} onChoose={(value) => isColourOption(option.name) && onColour(value)} />
      ))}
      <div className="row end">
        <Quantity inStock={product.stock} />
        <button
          className="primary grow"
          disabled={product.stock === 0}
          aria-busy={add.isPending || unsure?.stopped === false}
          aria-disabled={unsure !== undefined}
        >
          <Icon name="bag" /> {product.stock === 0 ? 'Sold out' : unsure ? 'Not sure yet' : add.isPending ? 'Adding…' : 'Add to cart'}
        </button>
      </div>
      <div aria-live="polite">{unsure && <PendingNote command={unsure} />}</div>
      <ProblemNote error={add.error} />
    </form>
  );
}

interface OptionChoiceProps {
  readonly option: Product['options'][number];
  readonly onChoose: (value: string) => void;
}

function OptionChoice({ option: { name, values }, onChoose }: OptionChoiceProps) {
  const [chosen, setChosen] = useState(values[0]);
  return (
    <fieldset className="choices">
      <legend>
        {name}{' '}
        <span className="quiet" aria-hidden="true">
          {chosen}
        </span>
      </legend>
      {values.map((value) => {
        return (
          <label key={value}>
            <input
              type="radio"
              name={`option-${name}`}
              value={value}
              required
              checked={value === chosen}
              onChange={() => (setChosen(value), onChoose(value))}
            />
            <span>
              {isColourOption(name) && <Swatch colour={value} />}
              {value}
            </span>
          </label>
        );
      })}
    </fieldset>
  );
}

/** A number field that stops at the stock. The arrow keys work in the field, and the buttons are for fingers. */
function Quantity({ inStock }: { readonly inStock: number }) {
  const input = useRef<HTMLInputElement>(null);
  const step = (by: 1 | -1): void => (by === 1 ? input.current?.stepUp() : input.current?.stepDown());
  return (
    <div className="stepper">
      <button type="button" aria-label="One less" onClick={() => step(-1)}>
        <Icon name="minus" size={16} />
      </button>
      <input
        ref={input}
        name="quantity"
        aria-label="Quantity"
        type="number"
        min="1"
        max={Math.max(1, Math.min(quantityMax, inStock))}
        title={inStock < quantityMax ? `Only ${inStock} in stock` : undefined}
        step="1"
        defaultValue="1"
        required
        inputMode="numeric"
      />
      <button type="button" aria-label="One more" onClick={() => step(1)}>
        <Icon name="plus" size={16} />
      </button>
    </div>
  );
}
