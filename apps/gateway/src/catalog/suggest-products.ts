import { isProblem, searchLengthMax, suggestedCategoryCountMax, suggestedProductCountMax } from '@cloakroom/contracts';
import { z } from 'zod';
import { type Exchange, type Outcome, outgoing } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';

export const suggestionQuery = z.object({ query: z.string().max(searchLengthMax).default('') });

export const suggestionsSchema = z
  .object({
    products: z
      .array(z.object({ productId: z.string(), name: z.string(), category: z.string(), image: z.string() }))
      .max(suggestedProductCountMax),
    categories: z.array(z.string()).max(suggestedCategoryCountMax),
  })
  .meta({ id: 'Suggestions' });

export async function suggestProducts(
  exchange: Exchange,
  { query: { query } }: { readonly query: z.output<typeof suggestionQuery> },
  gateway: Pick<Gateway, 'catalog'>,
): Promise<Outcome> {
  // A page asks for an emptied field too, which needs no call to the catalog.
  if (query.trim() === '') return { status: 200, body: { products: [], categories: [] } };
  const found = await gateway.catalog.suggest(outgoing(exchange), { query });
  if (isProblem(found)) return found;
  const products = found.products.map(({ productId, name, category, image }) => ({ productId, name, category, image }));
  return { status: 200, body: { products, categories: [...found.categories] } satisfies z.output<typeof suggestionsSchema> };
}
