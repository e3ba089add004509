/** The inputs of cart commands. Names and prices are never among them: they come from the catalog. */
import {
  lineIdLengthMax,
  lineQuantityMax,
  optionCountMax,
  optionNamePattern,
  optionValueLengthMax,
  problem,
  type Problem,
  seenLengthMax,
  subjectLengthMax,
  writtenCouponPattern,
} from '@cloakroom/contracts';
import { z } from 'zod';
import { productId } from '../catalog/product-answer.ts';
import type { Exchange } from '../http-exchange.ts';

/** A UUIDv7 in lower case, which the client makes for each command: repeating it is harmless (RFC 9562 5.7). The cart judges its age. */
const commandId = z
  .uuidv7()
  .refine((id) => id === id.toLowerCase(), 'lower case')
  .meta({ pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$' });
/** "g_" or "u_" and a UUID. */
const cartId = z.string().max(subjectLengthMax).optional().meta({
  description: 'The cart that the client means. Any other than that of this session, or than the guest cart that it claimed, is refused.',
});
/** Opaque to clients. */
export const seen = z.string().max(seenLengthMax);
const quantity = z.int().min(0).max(lineQuantityMax);

export const lineParams = z.object({ lineId: z.string().min(1).max(lineIdLengthMax) });
export const optionsSchema = z
  .record(z.string().regex(optionNamePattern), z.string().min(1).max(optionValueLengthMax))
  .refine((options) => Object.keys(options).length <= optionCountMax, `at most ${optionCountMax} options`)
  .meta({ maxProperties: optionCountMax });

export const addLineBody = z.object({
  commandId,
  productId,
  options: optionsSchema.optional().meta({
    description:
      "One value for each of the product's options; one left out takes the first value. A retry sends all of them, word for word: the first value may change.",
  }),
  quantity: quantity.min(1),
  seen: seen.optional(),
  cartId,
});
export const setQuantityBody = z.object({ commandId, quantity, seen, cartId });
export const seenBody = z.object({ commandId, seen, cartId });

/** Coupons as people write them: case does not matter. */
export const couponParams = z.object({
  code: z.string().regex(writtenCouponPattern, '1 to 32 letters, digits and hyphens').meta({ description: 'Case does not matter.' }),
});
export const commandBody = z.object({ commandId, cartId });

export const acceptedSchema = z.object({ commandId: z.string(), seen: z.string() }).meta({ id: 'CommandAccepted' });
export const lineAcceptedSchema = acceptedSchema.extend({ lineId: z.string() }).meta({ id: 'LineAccepted' });

/**
 * Refuses a command that is meant for another cart.
 *
 * A page repeats a command whose answer was lost. Meanwhile another tab may have signed somebody else in, and the cookie is theirs. So the
 * page says whose cart it means, and a command for any other cart is refused before anything is written. A command without a session is
 * refused too, because it would begin a new cart.
 *
 * A guest's command is also for the person whose sign-in claimed that guest's cart. If a client names no cart, its cookie decides.
 */
export function otherCart({ person }: Pick<Exchange, 'person'>, cartId: string | undefined): Problem | undefined {
  if (cartId === undefined) return undefined;
  if (person === undefined) return problem('session_required');
  const { subject, claimedGuestCart } = person.view;
  return cartId === subject || cartId === claimedGuestCart ? undefined : problem('other_cart');
}
