import type { Suggestions } from '@cloakroom/contracts/http';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useDeferredValue, useEffect, useRef, useState, type KeyboardEvent } from 'react';
import { Collection, ComboBox, Input, ListBox, ListBoxItem, ListBoxSection, Popover, type Key } from 'react-aria-components/ComboBox';
import { Header } from 'react-aria-components/Header';
import { useNavigate } from 'react-router';
import { Icon } from '../components/icons.tsx';
import { categoryPath, ProductPicture, productPath } from '../products/product-card.tsx';
import { keys, useApi } from '../api/shop.tsx';

export interface SearchBoxProps {
  readonly initialText: string;
  readonly takesFocus: boolean;
  /** The combobox has taken over the text of the plain field. */
  readonly onTaken: () => void;
  readonly onSearch: (query: string) => void;
}

type Suggestion =
  | { readonly id: string; readonly kind: 'category'; readonly name: string; readonly to: string }
  | {
      readonly id: string;
      readonly kind: 'product';
      readonly name: string;
      readonly to: string;
      readonly product: Suggestions['products'][number];
    };

interface Group {
  readonly id: string;
  readonly title: string;
  readonly items: readonly Suggestion[];
}

const none: Suggestions = { products: [], categories: [] };

/** A combobox (ARIA APG). The arrows walk the suggestions. Enter takes the marked one, or searches for the words if none is marked. */
export default function SearchBox({ initialText, takesFocus, onTaken, onSearch }: SearchBoxProps) {
  const navigate = useNavigate();
  const [untouched] = useState(initialText);
  const [text, setText] = useState(untouched);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    // The plain field that this one replaces had the focus.
    if (takesFocus) input.current?.focus();
    onTaken();
  }, [takesFocus, onTaken]);
  useEffect(() => letPageBeHidden, []);
  const groups = useGroups(text, text !== untouched);
  const choose = (key: Key | null): void => {
    const chosen = groups.flatMap(({ items }) => items).find(({ id }) => id === key);
    if (chosen === undefined) return;
    setText('');
    void navigate(chosen.to);
  };
  const clear = (): void => {
    setText('');
    input.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    // This runs before the combobox sees the key. With an open list the combobox would keep it to itself.
    if (event.key !== 'Enter' || event.target !== input.current || input.current?.getAttribute('aria-activedescendant')) return;
    event.preventDefault();
    event.stopPropagation();
    input.current?.blur();
    onSearch(text);
  };
  return (
    <div className="search-field" onKeyDownCapture={onKeyDown} onFocus={keepPageAudible} onBlur={letPageBeHidden}>
      <Icon name="search" />
      <ComboBox
        aria-label="Search products"
        items={groups}
        inputValue={text}
        onInputChange={setText}
        value={null}
        onChange={choose}
        allowsCustomValue
        // The first letter opens the list, and the answer fills it a moment later.
        allowsEmptyCollection
        menuTrigger="input"
      >
        <Input ref={input} placeholder="Search coats, bags, boots…" maxLength={100} enterKeyHint="search" />
        <Popover className="suggestions" offset={6}>
          <ListBox<Group> className="suggestion-list" renderEmptyState={() => <NoSuggestions text={text} />}>
            {(group) => <SuggestionGroup group={group} />}
          </ListBox>
        </Popover>
      </ComboBox>
      {text !== '' && (
        <button type="button" className="icon-button" aria-label="Clear search" onClick={clear}>
          <Icon name="close" size={16} />
        </button>
      )}
    </div>
  );
}

/**
 * While its list is open, the combobox hides all else from assistive technology, yet leaves it reachable by Tab. A list of suggestions is no
 * dialog, so the page must stay audible. react-aria does not hide elements that are marked as top layer.
 */
const topLayer = 'data-react-aria-top-layer';
const keepPageAudible = (): void => document.getElementById('root')?.setAttribute(topLayer, 'true');
const letPageBeHidden = (): void => document.getElementById('root')?.removeAttribute(topLayer);

/** If the catalog cannot suggest, the person still has a plain search field. */
function useGroups(text: string, wanted: boolean): readonly Group[] {
  const api = useApi();
  const query = useDeferredValue(text.trim());
  const { data = none } = useQuery({
    queryKey: [...keys.products, 'suggestions', query],
    queryFn: ({ signal }) => api.suggestions(query, signal),
    enabled: wanted && query !== '',
    placeholderData: keepPreviousData,
    staleTime: 60_000,
    retry: false,
  });
  if (query === '' || !wanted) return [];
  const categories = data.categories.map((name) => ({ id: `category ${name}`, kind: 'category' as const, name, to: categoryPath(name) }));
  const products = data.products.map((product) => ({
    id: `product ${product.productId}`,
    kind: 'product' as const,
    name: product.name,
    to: productPath(product.productId),
    product,
  }));
  return [
    // Products come first, so that Down and Enter lead to the product that the person types.
    { id: 'products', title: 'Products', items: products },
    { id: 'categories', title: 'Categories', items: categories },
  ].filter(({ items }) => items.length > 0);
}

function NoSuggestions({ text }: { readonly text: string }) {
  return (
    <p className="suggestion-none">{text.trim() === '' ? 'Type what you are looking for.' : 'Press Enter to search for these words.'}</p>
  );
}

function SuggestionGroup({ group }: { readonly group: Group }) {
  return (
    <ListBoxSection id={group.id}>
      <Header className="suggestion-head">{group.title}</Header>
      <Collection items={group.items}>
        {(item) => (
          <ListBoxItem id={item.id} textValue={item.name} className="suggestion">
            {item.kind === 'product' && <ProductPicture product={item.product} size="tiny" />}
            <span className="suggestion-name">{item.name}</span>
            {item.kind === 'product' && <span className="quiet">{item.product.category}</span>}
          </ListBoxItem>
        )}
      </Collection>
    </ListBoxSection>
  );
}
