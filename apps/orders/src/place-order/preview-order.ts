import type { MessageInitShape } from '@bufbuild/protobuf';
import { isProblem, type OrderPreviewSchema, type PreviewOrderRequest, type Problem } from '@cloakroom/contracts';
import type { PersonContext } from '@cloakroom/mesh';
import { lineMessage } from '../reads/order-message.ts';
import { orUnavailable } from '../or-unavailable.ts';
import type { OrdersParts } from '../orders.dependencies.ts';
import { quoteOrder } from './quote.ts';

/** Takes and holds nothing. The preview may be outdated a moment later, and an order finds that out by `expected_total`. */
export async function previewOrder(
  parts: OrdersParts,
  ctx: PersonContext,
  { seen }: Pick<PreviewOrderRequest, 'seen'>,
): Promise<MessageInitShape<typeof OrderPreviewSchema> | Problem> {
  const quote = await orUnavailable(() => quoteOrder(parts, ctx, seen));
  if (isProblem(quote)) return quote;
  return {
    lines: quote.lines.map((line) => ({ line: lineMessage(line), obstacle: line.obstacle, inStock: line.inStock })),
    coupons: quote.coupons.map(({ code, obstacle, discount, description }) => ({
      code,
      obstacle,
      discount: BigInt(discount),
      description,
    })),
    subtotal: BigInt(quote.subtotal),
    discount: BigInt(quote.discount),
    total: BigInt(quote.total),
    currency: quote.currency,
    cartChanged: quote.changed,
    stockHeardAtMs: quote.stockHeardAtMs,
  };
}
