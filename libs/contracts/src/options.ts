/** The options that a person chose for a product, in the form that carts and orders show. */
import type { Option } from './gen/cloakroom/cart/v1/cart_pb.ts';
import type { Product } from './gen/cloakroom/catalog/v1/catalog_pb.ts';

/**
 * Options by name, in the catalog's order, which is the order in which the product's page asks for them. The cart keeps them sorted by
 * name. Options that the catalog does not know come last.
 */
export function optionsOf({ options }: { readonly options: readonly Option[] }, product: Product | undefined): Record<string, string> {
  const order = (product?.options ?? []).map(({ name }) => name);
  const place = (name: string): number => (order.includes(name) ? order.indexOf(name) : order.length);
  return Object.fromEntries(options.toSorted((a, b) => place(a.name) - place(b.name)).map(({ name, value }) => [name, value]));
}
