/** Types of the page's own, made from the gateway's generated ones: the bodies that it sends, and answers that it treats alike. */
import type {
  AddedPasskey,
  CartLine,
  CommandAccepted,
  LineAccepted,
  PatchApiProfileBody,
  PostApiCartLinesBody,
  PostApiOrdersBody,
  Problem,
} from '@cloakroom/contracts/http';

export type ChosenOptions = CartLine['options'];

/** A person wants this in the cart. */
export type LineWish = Required<Pick<PostApiCartLinesBody, 'productId' | 'options' | 'quantity'>>;

/** The answer to any cart command. Only an added line is told its id. */
export type Accepted = CommandAccepted & Partial<Pick<LineAccepted, 'lineId'>>;

/** The page always says the total that the person agreed to, and how they pay. One Idempotency-Key belongs to exactly one of these. */
export type OrderWish = Required<PostApiOrdersBody>;

/** An address as the page saves it. A new one has no id yet. */
export type AddressWish = NonNullable<PatchApiProfileBody['addresses']>[number];

/** The problem `second_factor_required` asks for these. */
export type SecondFactor = Required<Pick<Problem, 'methods'>> & Pick<Problem, 'challenge' | 'options'>;

/** The person's answer to a second factor. */
export type SecondFactorProof = { readonly code: string } | { readonly recoveryCode: string } | { readonly response: object };

/** The page shows this after any change of a factor. */
export type FactorChange = Pick<AddedPasskey, 'otherSessions' | 'recoveryCodes'>;
