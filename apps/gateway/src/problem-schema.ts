/** The body of every refusal, as the document describes it: RFC 9457, with what some problems carry besides. */
import { type Problem, toldCodes } from '@cloakroom/contracts';
import { z } from 'zod';
import { cartSchema } from './cart/cart-answer.ts';
import { type CheckoutProblem, previewSchema } from './orders/order-answer.ts';
import type { SecondFactorProblem } from './session/second-factor-problem.ts';

export const problemType = 'application/problem+json';

export const problemSchema = z
  .object({
    type: z.string().meta({ description: 'A URN that names the kind of problem and is no address: urn:cloakroom:problem:<code>.' }),
    title: z.string(),
    status: z.int(),
    code: z.enum(toldCodes).meta({ id: 'ErrorCode' }),
    detail: z.string().optional(),
    errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
    retryAfter: z.int().optional().meta({ description: 'Seconds; the same as the Retry-After header.' }),
    challenge: z.string().optional().meta({
      description: 'Of second_factor_required: names this sign-in in its second half. A step-up has none: it is repeated with the code.',
    }),
    methods: z
      .array(z.enum(['totp', 'passkey', 'recovery_code']).meta({ id: 'FactorMethod' }))
      .optional()
      .meta({ description: 'Of second_factor_required.' }),
    options: z.looseObject({}).optional().meta({
      description: 'Of second_factor_required with a passkey: for navigator.credentials.get (PublicKeyCredentialRequestOptionsJSON).',
    }),
    cart: cartSchema.optional().meta({ description: 'Of cart_changed: as it is now.' }),
    preview: previewSchema.optional().meta({ description: 'Of price_changed and out_of_stock: what an order would be now.' }),
    traceId: z.string().optional().meta({ description: 'Tell this to whoever runs the shop.' }),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details' });

export type ProblemBody = z.output<typeof problemSchema>;

/** A Problem that also says what is wrong with each field. */
export interface FieldProblem extends Problem {
  readonly errors: readonly { readonly field: string; readonly message: string }[];
}

export type AnyProblem = Problem | FieldProblem | SecondFactorProblem | CheckoutProblem;
