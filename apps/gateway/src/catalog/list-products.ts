import {
  isProblem,
  pageSizeMax,
  productPageMax,
  searchChoiceCountMax,
  searchChoiceLengthMax,
  searchLengthMax,
  Sort,
} from '@cloakroom/contracts';
import { z } from 'zod';
import { type Exchange, type Outcome, outgoing } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { facetsBody, productBody } from './product-answer.ts';

const sorts = {
  relevance: Sort.UNSPECIFIED,
  price: Sort.PRICE_ASCENDING,
  '-price': Sort.PRICE_DESCENDING,
  name: Sort.NAME,
  newest: Sort.NEWEST,
} as const;

/** The first colon divides name and value, because no name of an option has a colon. */
const choice = z
  .string()
  .regex(
    new RegExp(`^[^:]{1,${searchChoiceLengthMax}}:.{1,${searchChoiceLengthMax}}$`, 'su'),
    `is no "Name:value" of at most ${searchChoiceLengthMax} characters each`,
  );
/** A million in the currency: beyond any price, and far from the end of safe integers. */
const priceMost = 100_000_000;
const price = (description: string) => z.coerce.number().int().min(0).max(priceMost).default(0).meta({ description });

export const productQuery = z.object({
  query: z.string().max(searchLengthMax).default(''),
  category: z.string().max(searchChoiceLengthMax).default(''),
  sort: z
    .enum(Object.keys(sorts) as (keyof typeof sorts)[])
    .default('relevance')
    .meta({ description: 'relevance without a query is the order of the shop window.' }),
  option: z
    .union([choice, z.array(choice).max(searchChoiceCountMax)])
    .default([])
    .meta({ description: 'Repeatable, "Size:M". Of one name any value will do, of several names all must match.' }),
  priceMin: price('In minor units. 0: no bound.'),
  priceMax: price('In minor units. 0: no bound.'),
  inStock: z.enum(['true', 'false']).default('false'),
  page: z.coerce.number().int().min(1).max(productPageMax).default(1),
  pageSize: z.coerce.number().int().min(1).max(pageSizeMax).default(20),
});

export async function listProducts(
  exchange: Exchange,
  { query: asked }: { readonly query: z.output<typeof productQuery> },
  gateway: Pick<Gateway, 'catalog'>,
): Promise<Outcome> {
  const { query, category, page, pageSize } = asked;
  const found = await gateway.catalog.listProducts(outgoing(exchange), {
    query,
    category,
    page,
    pageSize,
    sort: sorts[asked.sort],
    options: [asked.option].flat().map(parseChoice),
    priceMin: BigInt(asked.priceMin),
    priceMax: BigInt(asked.priceMax),
    inStock: asked.inStock === 'true',
  });
  if (isProblem(found)) return found;
  const items = found.items.map(productBody);
  return { status: 200, body: { items, total: found.total, page: found.page, pageSize: found.pageSize, facets: facetsBody(found.facets) } };
}

function parseChoice(text: string): { name: string; value: string } {
  const colon = text.indexOf(':');
  return { name: text.slice(0, colon), value: text.slice(colon + 1) };
}
