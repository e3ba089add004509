/**
 * A history, read: which commands there were and whether they happened, what could have killed what, whose cart is whose. Every command is
 * one dot, as in apps/cart/src/cart.ts; written here a second time on purpose, from the outside, so that a mistake there is not repeated here.
 */
import type { History, Operation } from './history.ts';
import { ordersOf } from './history.orders.ts';
import {
  namesOf,
  numberOf,
  orderedDots,
  textOf,
  type Certainty,
  type Claim,
  type Command,
  type Facts,
  type Kill,
  type Order,
  type Read,
  type ShownLine,
} from './history.terms.ts';

export function factsOf(history: History): Facts {
  const reads = history.operations.flatMap((operation) => readOf(operation) ?? []);
  const shown = new Map<string, Operation>();
  for (const { dots, operation } of reads) for (const dot of dots ?? []) if (!shown.has(dot)) shown.set(dot, operation);
  const claims = claimsOf(history, reads);
  const commands = commandsOf(history, claims, shown);
  const orders = ordersOf(history);
  const kills = [...killsOfCommands(commands.values()), ...killsOfOrders(orders, commands)];
  const killsOf = new Map<string, Kill[]>();
  for (const kill of kills) {
    for (const dot of kill.observed) {
      const line = commands.get(dot)?.productId;
      if (kill.productId !== undefined && kill.productId !== line) continue;
      const known = killsOf.get(dot);
      if (known === undefined) killsOf.set(dot, [kill]);
      else known.push(kill);
    }
  }
  const commandsOfCart = Map.groupBy(commands.values(), ({ cart }) => cart);
  const claimOfSession = new Map([...claims.values()].map((claim) => [claim.session, claim]));
  return { history, commands, commandsOfCart, kills, killsOf, reads, claims, claimOfSession, orders };
}

function readOf(operation: Operation): Read | undefined {
  const { kind, outcome, output, input, completedAtMs } = operation;
  if (kind !== 'read' || outcome !== 'ok' || output === undefined || completedAtMs === undefined) return undefined;
  const dots = namesOf(output['dots']);
  return {
    operation,
    cart: textOf(input['cart']),
    cartId: textOf(output['cartId']),
    lines: output['lines'] as ShownLine[],
    dots: dots === undefined ? undefined : new Set(dots),
    stale: output['stale'] === true,
    incomplete: output['incomplete'] === true,
    merge: textOf(output['merge']),
    final: input['final'] === true,
    atMs: completedAtMs,
  };
}

/** One owner, ever: the first sign-in that was answered, or else one that may have happened. A user's cart that shows a guest's dot settles it. */
function claimsOf(history: History, reads: readonly Read[]): Map<string, Claim> {
  const claims = new Map<string, Claim>();
  for (const operation of history.operations) {
    const guestCart = textOf(operation.input['guestCart']);
    if (operation.kind !== 'login' || guestCart === '' || operation.outcome === 'failed') continue;
    if (claims.get(guestCart)?.certainty === 'yes') continue;
    const certainty = operation.outcome === 'ok' ? 'yes' : 'maybe';
    claims.set(guestCart, { guestCart, person: operation.person, session: textOf(operation.input['session']), certainty, operation });
  }
  const made = new Map<string, string>();
  for (const { input } of history.operations)
    if (textOf(input['commandId']) !== '') made.set(textOf(input['commandId']), textOf(input['cart']));
  for (const { cart, dots } of reads) {
    for (const dot of dots ?? []) {
      const claim = claims.get(made.get(dot) ?? '');
      if (claim?.certainty === 'maybe' && cart === `user:${claim.person}`) claims.set(claim.guestCart, { ...claim, certainty: 'yes' });
    }
  }
  return claims;
}

function commandsOf(history: History, claims: ReadonlyMap<string, Claim>, shown: ReadonlyMap<string, Operation>): Map<string, Command> {
  const attempts = Map.groupBy(
    history.operations.filter(({ input }) => textOf(input['commandId']) !== ''),
    ({ input }) => textOf(input['commandId']),
  );
  const commands = new Map<string, Command>();
  for (const [name, tries] of attempts) {
    const first = tries[0]!;
    const cart = textOf(first.input['cart']);
    const good = tries.filter(({ outcome }) => outcome === 'ok');
    const told: Certainty = good.length > 0 ? 'yes' : tries.some(({ outcome }) => outcome === 'unknown') ? 'maybe' : 'no';
    commands.set(name, {
      name,
      kind: kindOf(first),
      person: claims.get(cart)?.person ?? first.person,
      cart,
      client: first.client,
      productId: typeof first.input['productId'] === 'string' ? first.input['productId'] : undefined,
      quantity: numberOf(first.input['quantity']),
      certainty: told === 'maybe' && shown.has(name) ? 'yes' : told,
      invokedAtMs: first.invokedAtMs,
      ackedAtMs: Math.min(...good.map(({ completedAtMs = Number.POSITIVE_INFINITY }) => completedAtMs), Number.POSITIVE_INFINITY),
      attempts: tries,
    });
  }
  return commands;
}

/** A set to nothing is a removal, and leaves no dot. */
function kindOf({ kind, input }: Operation): string {
  if (kind === 'use-ended-session') return 'add';
  return kind === 'set' && input['quantity'] === 0 ? 'remove' : kind;
}

function killsOfCommands(commands: Iterable<Command>): Kill[] {
  return [...commands].flatMap((command): Kill[] => {
    const { name, kind, certainty, client, cart, invokedAtMs, ackedAtMs, attempts } = command;
    if (!['set', 'remove', 'clear', 'remove-coupon'].includes(kind) || certainty === 'no') return [];
    const observed = new Set(namesOf(attempts[0]!.input['observed']) ?? []);
    observed.delete(name);
    const productId = kind === 'clear' || kind === 'remove-coupon' ? undefined : command.productId;
    const operations = attempts.map(({ id }) => id);
    return [{ name, observed, productId, certainty, client, cart, invokedAtMs, ackedAtMs, operations, byOrder: false }];
  });
}

function killsOfOrders(orders: readonly Order[], commands: ReadonlyMap<string, Command>): Kill[] {
  return orders
    .filter(({ certainty }) => certainty !== 'no')
    .map((order) => ({
      name: `order ${order.key}`,
      observed: new Set(orderedDots(order, commands)),
      productId: undefined,
      certainty: order.certainty,
      client: order.attempts[0]!.client,
      cart: textOf(order.attempts[0]!.input['cart']),
      invokedAtMs: order.attempts[0]!.invokedAtMs,
      // The cart hears of it later, and says when by not showing it any more.
      ackedAtMs: Number.POSITIVE_INFINITY,
      operations: order.attempts.map(({ id }) => id),
      byOrder: true,
    }));
}
