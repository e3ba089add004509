import type { Facets } from '@cloakroom/contracts/http';
import { useId, useState, type FormEvent } from 'react';
import { isColourOption, Swatch } from '../products/swatch.tsx';
import { textOf } from '../components/form.ts';
import { Icon } from '../components/icons.tsx';
import { choiceCount, minorUnits, type ProductQuery } from '../api/product-query.ts';

interface FiltersProps {
  readonly shown: ProductQuery;
  /** Undefined while the page loads. */
  readonly facets: Facets | undefined;
  readonly onChange: (next: Partial<ProductQuery>) => void;
}

/** The filters of a list. A narrow screen folds them away behind a button. */
export function Filters({ shown, facets, onChange }: FiltersProps) {
  const [open, setOpen] = useState(false);
  const panelId = useId();
  const count = choiceCount(shown);
  return (
    <section className="filters" aria-label="Filters">
      <button type="button" className="filters-toggle" aria-expanded={open} aria-controls={panelId} onClick={() => setOpen(!open)}>
        <Icon name="filter" /> Filters{count > 0 && ` (${count})`}
      </button>
      <div id={panelId} className={open ? 'filters-panel open' : 'filters-panel'}>
        {count > 0 && (
          <button
            type="button"
            className="plain"
            onClick={() => onChange({ options: [], priceMin: undefined, priceMax: undefined, inStock: false })}
          >
            Clear all filters
          </button>
        )}
        <label className="check">
          <input type="checkbox" checked={shown.inStock} onChange={(event) => onChange({ inStock: event.target.checked })} />
          In stock only
        </label>
        <PriceRange key={`${shown.priceMin} ${shown.priceMax}`} shown={shown} facets={facets} onChange={onChange} />
        {facets?.options.map(({ name, values }) => (
          <OptionFilter key={name} name={name} values={values} chosen={shown.options} onChange={(options) => onChange({ options })} />
        ))}
      </div>
    </section>
  );
}

function PriceRange({ shown, facets, onChange }: FiltersProps) {
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    onChange({ priceMin: minorUnits(textOf(form, 'from')), priceMax: minorUnits(textOf(form, 'to')) });
  };
  const field = (name: string, label: string, value: number | undefined, hint: number | undefined) => (
    <label className="field">
      {label}
      <input
        name={name}
        inputMode="decimal"
        pattern="\d{1,6}([.,]\d{1,2})?"
        title="An amount, such as 25 or 25.50"
        defaultValue={value === undefined ? '' : value / 100}
        placeholder={hint === undefined ? '' : String(Math.round(hint / 100))}
      />
    </label>
  );
  return (
    <form onSubmit={submit}>
      <fieldset className="filter">
        <legend>Price in €</legend>
        <div className="price-range">
          {field('from', 'From', shown.priceMin, facets?.priceMin)}
          {field('to', 'To', shown.priceMax, facets?.priceMax)}
          <button>Apply</button>
        </div>
      </fieldset>
    </form>
  );
}

interface OptionFilterProps {
  readonly name: string;
  readonly values: readonly { readonly value: string; readonly count: number }[];
  readonly chosen: readonly string[];
  readonly onChange: (options: readonly string[]) => void;
}

/** A long list of sizes would push everything else away, so further values are behind "Show all". */
const valueCountShown = 8;

function OptionFilter({ name, values, chosen, onChange }: OptionFilterProps) {
  const [all, setAll] = useState(false);
  const keyOf = (value: string): string => `${name}:${value}`;
  const isColour = isColourOption(name);
  const shown = values.filter(({ value }, index) => all || index < valueCountShown || chosen.includes(keyOf(value)));
  return (
    <fieldset className="filter">
      <legend>{name}</legend>
      {shown.map(({ value, count }) => {
        const key = keyOf(value);
        return (
          <label key={value} className="check">
            <input
              type="checkbox"
              checked={chosen.includes(key)}
              onChange={(event) => onChange(event.target.checked ? [...chosen, key] : chosen.filter((one) => one !== key))}
            />
            {isColour && <Swatch colour={value} />}
            <span>{value}</span>
            <span className="quiet">{count}</span>
          </label>
        );
      })}
      {values.length > shown.length && (
        <button type="button" className="plain" onClick={() => setAll(true)}>
          Show all {values.length}
        </button>
      )}
    </fieldset>
  );
}
