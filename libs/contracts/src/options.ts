/** How what a person chose of a product is told: by cart and by order alike. */
import type { Option } from './gen/cloakroom/cart/v1/cart_pb.ts';
import type { Product } from './gen/cloakroom/catalog/v1/catalog_pb.ts';

/** By name, in the catalog's order, as the product's page asks for them; the cart keeps them by name. What the catalog does not know comes last. */
export function optionsOf({ options }: { readonly options: readonly Option[] }, product: Product | undefined): Record<string, string> {
  const order = (product?.options ?? []).map(({ name }) => name);
  const place = (name: string): number => (order.includes(name) ? order.indexOf(name) : order.length);
  return Object.fromEntries(options.toSorted((a, b) => place(a.name) - place(b.name)).map(({ name, value }) => [name, value]));
}
