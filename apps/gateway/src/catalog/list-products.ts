import { isProblem } from '@cloakroom/contracts';
import { z } from 'zod';
import { type Exchange, type Outcome, outgoing } from '../exchange.ts';
import type { Gateway } from '../gateway.ts';
import { productBody } from './product-answer.ts';

export const productQuery = z.object({
  query: z.string().max(100).default(''),
  category: z.string().max(64).default(''),
  page: z.coerce.number().int().min(1).max(10_000).default(1),
  pageSize: z.coerce.number().int().min(1).max(100).default(20),
});

export async function listProducts(
  x: Exchange,
  { query }: { readonly query: z.output<typeof productQuery> },
  gateway: Gateway,
): Promise<Outcome> {
  const found = await gateway.catalog.listProducts(outgoing(x), query);
  if (isProblem(found)) return found;
  const body = { items: found.items.map(productBody), total: found.total, page: found.page, pageSize: found.pageSize };
  return { status: 200, body };
}
