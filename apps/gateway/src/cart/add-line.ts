import { isProblem, type Option, problem, type Problem, type Product } from '@cloakroom/contracts';
import type { z } from 'zod';
import { type Answer, type Credential, type Exchange, type Outcome, outgoing } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { createGuest } from '../session/start-guest.ts';
import { tokenOf } from '../identity/issued-session.ts';
import { authProblem } from '../session/auth-problem.ts';
import { otherCart, type addLineBody } from './command-input.ts';
import { writeOutcome } from './write-outcome.ts';

type LineAdding = Pick<Gateway, 'auth' | 'cart' | 'catalog' | 'limits' | 'products'>;

/** A browser's first line begins its guest session, but only once the command is known to be good: a typo creates nothing. */
export async function addLine(
  exchange: Exchange,
  { body }: { readonly body: z.output<typeof addLineBody> },
  gateway: LineAdding,
): Promise<Outcome> {
  const refused = otherCart(exchange, body.cartId);
  if (refused !== undefined) return refused;
  const found = await gateway.products.products([body.productId], (productIds) =>
    gateway.catalog.getProducts(outgoing(exchange), { productIds }),
  );
  if (isProblem(found)) return found;
  const product = found.get(body.productId);
  if (product === undefined) return problem('unknown_product');
  const options = chosenOptions(product, body.options ?? {});
  if (isProblem(options)) return options;

  const shopper = await passportFor(exchange, gateway);
  if (isProblem(shopper)) return shopper;
  const accepted = await gateway.cart.addItem(outgoing(exchange, shopper.passport), {
    commandId: body.commandId,
    productId: body.productId,
    options,
    quantity: body.quantity,
    seen: body.seen ?? '',
  });
  const outcome = writeOutcome(accepted, { tellLine: true });
  if (shopper.newToken === undefined) return outcome;
  // The session has begun even if the line was refused. Without its cookie a retry would begin another session.
  return { ...outcome, newToken: shopper.newToken };
}

type Shopper = { readonly passport: Credential; readonly newToken?: NonNullable<Answer['newToken']> };

async function passportFor(exchange: Exchange, gateway: LineAdding): Promise<Shopper | Problem> {
  if (exchange.person !== undefined) return { passport: exchange.person.passport };
  const issued = await createGuest(exchange, gateway);
  if (isProblem(issued)) return issued;
  const resolved = await gateway.auth.resolve(outgoing(exchange), { token: issued.token, audience: 'cart', touch: false });
  if (isProblem(resolved)) return authProblem(resolved);
  return { passport: resolved.passport, newToken: tokenOf(issued) };
}

/** Sorted as the catalog lists them, so that one choice is one line. An option left out takes the catalog's first value. */
export function chosenOptions(product: Product, chosen: Readonly<Record<string, string>>): Pick<Option, 'name' | 'value'>[] | Problem {
  const known = new Map(product.options.map((option) => [option.name, option.values]));
  for (const [name, value] of Object.entries(chosen)) {
    if (known.get(name)?.includes(value) !== true) return problem('unknown_product', `This product has no ${name} "${value}".`);
  }
  return product.options.flatMap(({ name, values }) => {
    const value = Object.hasOwn(chosen, name) ? chosen[name] : values[0];
    return value === undefined ? [] : [{ name, value }];
  });
}
