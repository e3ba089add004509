/**
 * The facts of a history: which commands there were and whether they happened, what could have killed what, and which person owns which
 * cart.
 *
 * Every command is one thing, whichever of its person's carts it was sent to, as in apps/cart/src/model/cart.ts. The rule is written here a
 * second time on purpose, from the outside, so that a mistake there is not repeated here.
 */
import { claimsOf } from './history.claims.ts';
import type { History, Operation } from './history.ts';
import { personsApart } from './history.persons.ts';
import { ordersOf } from './history.orders.ts';
import {
  namesOf,
  numberOf,
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

export function factsOf(given: History): Facts {
  const claims = claimsOf(given);
  const history = personsApart(given, claims);
  const reads = history.operations.flatMap((operation) => readOf(operation) ?? []);
  const shown = new Map<string, Set<string>>();
  for (const { dots, cart } of reads) for (const dot of dots ?? []) shown.set(dot, (shown.get(dot) ?? new Set()).add(cart));
  const commands = commandsOf(history, claims, shown);
  const sendings = [...commands.values()].flatMap((command) =>
    command.carts.map((cart) => ({ cart, command: inCart(command, cart, claims) })),
  );
  const orders = ordersOf(history);
  const kills = [...sendings.flatMap(({ cart, command }) => killsOfCommand(command, cart)), ...killsOfOrders(orders)];
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
  const commandsOfCart = new Map(
    [...Map.groupBy(sendings, ({ cart }) => cart)].map(([cart, its]) => [cart, its.map(({ command }) => command)]),
  );
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

function commandsOf(
  history: History,
  claims: ReadonlyMap<string, Claim>,
  shown: ReadonlyMap<string, ReadonlySet<string>>,
): Map<string, Command> {
  const attempts = Map.groupBy(
    history.operations.filter(({ input }) => textOf(input['commandId']) !== ''),
    ({ input }) => textOf(input['commandId']),
  );
  return new Map([...attempts].map(([name, tries]) => [name, commandOf(name, tries, claims, shown.get(name) ?? new Set())]));
}

/** @param shown the carts that were seen to hold the command */
function commandOf(name: string, tries: readonly Operation[], claims: ReadonlyMap<string, Claim>, shown: ReadonlySet<string>): Command {
  const first = tries[0]!;
  const carts = [...new Set(tries.map(({ input }) => textOf(input['cart'])))];
  const good = tries.filter(({ outcome }) => outcome === 'ok');
  const told: Certainty = good.length > 0 ? 'yes' : tries.some(({ outcome }) => outcome === 'unknown') ? 'maybe' : 'no';
  return {
    name,
    kind: kindOf(first),
    person: claims.get(carts[0]!)?.person ?? first.person,
    carts,
    shown,
    client: first.client,
    productId: typeof first.input['productId'] === 'string' ? first.input['productId'] : undefined,
    quantity: numberOf(first.input['quantity']),
    certainty: told === 'maybe' && shown.size > 0 ? 'yes' : told,
    invokedAtMs: first.invokedAtMs,
    ackedAtMs: Math.min(...good.map(({ completedAtMs = Number.POSITIVE_INFINITY }) => completedAtMs), Number.POSITIVE_INFINITY),
    attempts: tries,
  };
}

/** The same command, as one of its carts knows it. Requests to other carts, and their answers, are no promise of this cart. */
function inCart(command: Command, cart: string, claims: ReadonlyMap<string, Claim>): Command {
  if (command.carts.length === 1) return command;
  const tries = command.attempts.filter(({ input }) => input['cart'] === cart);
  return commandOf(command.name, tries, claims, new Set([...command.shown].filter((where) => where === cart)));
}

/** Setting the quantity to 0 is a removal, and leaves no dot. */
function kindOf({ kind, input }: Operation): string {
  if (kind === 'use-ended-session') return 'add';
  return kind === 'set' && input['quantity'] === 0 ? 'remove' : kind;
}

function killsOfCommand({ name, kind, certainty, client, invokedAtMs, ackedAtMs, attempts, ...command }: Command, cart: string): Kill[] {
  if (!['set', 'remove', 'clear', 'remove-coupon'].includes(kind) || certainty === 'no') return [];
  const observed = new Set(namesOf(attempts[0]!.input['observed']) ?? []);
  observed.delete(name);
  const productId = kind === 'clear' || kind === 'remove-coupon' ? undefined : command.productId;
  const operations = attempts.map(({ id }) => id);
  return [{ name, observed, productId, certainty, client, cart, invokedAtMs, ackedAtMs, operations, byOrder: false }];
}

function killsOfOrders(orders: readonly Order[]): Kill[] {
  return orders
    .filter(({ certainty }) => certainty !== 'no')
    .map((order) => ({
      name: `order ${order.key}`,
      observed: new Set(order.observed),
      productId: undefined,
      certainty: order.certainty,
      client: order.attempts[0]!.client,
      cart: textOf(order.attempts[0]!.input['cart']),
      invokedAtMs: order.attempts[0]!.invokedAtMs,
      // The cart hears of the order later. It shows when by no longer showing the dots.
      ackedAtMs: Number.POSITIVE_INFINITY,
      operations: order.attempts.map(({ id }) => id),
      byOrder: true,
    }));
}
