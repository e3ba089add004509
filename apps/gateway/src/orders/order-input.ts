/**
 * The inputs of an order. The only price among them is the total that the person agreed to. Lines are the cart's, named by what the page saw
 * of it.
 */
import { idempotencyKeyPattern, orderPageMax, pageSizeMax } from '@cloakroom/contracts';
import { z } from 'zod';
import { seen as cartSeen } from '../cart/command-input.ts';

/** The cart gave it to the page. An empty one has seen nothing that could be ordered. */
const seen = cartSeen.min(1);
/** Far from the end of safe integers, and far above any order. */
const totalMost = 1_000_000_000_000;

export const previewBody = z.object({ seen });

/** The client chooses the key, as in draft-ietf-httpapi-idempotency-key-header. A UUID does. */
export const orderHeaders = z.object({
  'idempotency-key': z
    .string('is needed, and stays the same when this order is sent again')
    .regex(idempotencyKeyPattern, '1 to 64 visible characters')
    .meta({ description: 'One order for each key of a person: sending it again with the same body answers with the same order.' }),
});

export const orderBody = z.object({
  addressId: z.string().min(1).max(64).meta({ description: "One of this person's profile." }),
  seen: seen.meta({ description: "The cart's, as it was shown: what is ordered, and nothing that came later." }),
  expectedTotal: z
    .int()
    .min(0)
    .max(totalMost)
    .optional()
    .meta({ description: 'What the person agreed to pay. Any other total is refused as price_changed. Absent: the price of the moment.' }),
  paymentMethod: z
    .string()
    .regex(/^[a-z0-9_]{1,64}$/)
    .optional()
    .meta({
      description:
        "The provider's; any other is refused as invalid_request. Those of the simulated one are the examples. Absent: a card that pays.",
      examples: ['card_pays', 'card_declined', 'card_times_out_charged', 'card_times_out_uncharged', 'card_double_callback'],
    }),
});

export const orderParams = z.object({ orderId: z.string().min(1).max(64) });

export const ordersQuery = z.object({
  page: z.coerce.number().int().min(1).max(orderPageMax).default(1),
  pageSize: z.coerce.number().int().min(1).max(pageSizeMax).default(20),
});
