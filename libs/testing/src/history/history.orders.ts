/** The check-outs of a history by Idempotency-Key: the result of each, and the results that must never occur. */
import type { Anomaly, History, Operation } from './history.ts';
import { namesOf, quantitiesOf, textOf, type Certainty, type Facts, type Order, type Told } from './history.terms.ts';

const toldOf = (value: unknown): Told | undefined =>
  typeof value === 'object' && value !== null && 'orderId' in value ? (value as Told) : undefined;
const linesKey = (lines: Iterable<readonly [string, number]>): string => JSON.stringify([...lines].sort(([a], [b]) => (a < b ? -1 : 1)));
const sumsOf = (lines: Told['lines']): Map<string, number> => {
  const sums = new Map<string, number>();
  for (const { productId, quantity } of lines) sums.set(productId, (sums.get(productId) ?? 0) + quantity);
  return sums;
};

type Listed = Told & { readonly operation: number; readonly person: string };

function listedOf(history: History): Listed[] {
  return history.operations
    .filter(({ kind, outcome }) => kind === 'read-orders' && outcome === 'ok')
    .flatMap(({ id, person, output }) =>
      ((output?.['orders'] as Told[] | undefined) ?? []).map((told) => ({ ...told, operation: id, person })),
    );
}

/** A check-out whose answer never came is found in the person's list by the dots that it ordered. */
export function ordersOf(history: History): Order[] {
  const listed = Map.groupBy(listedOf(history), ({ orderId }) => orderId);
  const checkouts = Map.groupBy(
    history.operations.filter(({ kind }) => kind === 'checkout'),
    ({ input, person }) => `${person} ${textOf(input['key'])}`,
  );
  const answered = [...checkouts.values()].map((attempts) => ({
    attempts,
    told: attempts.flatMap(({ id, output }) => (toldOf(output) ? [{ ...toldOf(output)!, operation: id }] : [])),
  }));
  const known = new Set(answered.flatMap(({ told }) => told.map(({ orderId }) => orderId)));
  const unclaimed = new Map([...listed].filter(([orderId]) => !known.has(orderId)));
  return answered.map(({ attempts, told }) => {
    const first = attempts[0]!;
    const ids = new Set(told.map(({ orderId }) => orderId));
    if (ids.size === 0 && attempts.some(({ outcome }) => outcome === 'unknown')) {
      const asked = linesKey(Object.entries((first.input['lines'] as Record<string, number> | undefined) ?? {}));
      const match = [...unclaimed].find(([, [one]]) => one!.person === first.person && linesKey(sumsOf(one!.lines)) === asked);
      if (match !== undefined) {
        ids.add(match[0]);
        unclaimed.delete(match[0]);
      }
    }
    const all = [...told, ...[...ids].flatMap((id) => listed.get(id) ?? [])].sort((a, b) => a.operation - b.operation);
    const observed = namesOf(first.input['observed']) ?? [];
    return { key: textOf(first.input['key']), person: first.person, observed, attempts, told: all, certainty: certaintyOf(attempts, all) };
  });
}

function certaintyOf(attempts: readonly Operation[], told: Order['told']): Certainty {
  const last = told.at(-1);
  if (last?.status === 'placed') return 'yes';
  if (last?.status === 'cancelled') return 'no';
  if (last !== undefined) return 'maybe';
  // A refusal after a lost answer may be about the same order: payment declined, or the cart already ordered.
  return attempts.some(({ outcome }) => outcome === 'unknown') ? 'maybe' : 'no';
}

export const isSettled = ({ told }: Order): boolean => told.length === 0 || told.at(-1)!.status !== 'pending';

export function checkOrders(facts: Facts): Anomaly[] {
  return [
    ...facts.orders.flatMap((order) => [...checkKey(order), ...checkCharge(order), ...checkLines(order, facts)]),
    ...checkDots(facts),
    ...checkOwners(facts),
    ...checkStock(facts),
  ];
}

function* checkKey({ key, told, attempts }: Order): Generator<Anomaly> {
  const ids = new Map(told.map(({ orderId, operation }) => [orderId, operation]));
  if (ids.size > 1)
    yield { kind: 'two-orders', message: `one Idempotency-Key (${key}) made ${ids.size} orders`, operations: [...ids.values()] };
  const over = told.find(({ status }, at) => told.slice(0, at).some((before) => before.status === 'cancelled' && status === 'placed'));
  if (over)
    yield {
      kind: 'order-inexact',
      message: `the order ${over.orderId} was cancelled and then placed`,
      operations: told.map((t) => t.operation),
    };
  const sure = attempts.every(({ outcome }) => outcome === 'failed');
  if (sure && told.some(({ status }) => status === 'placed')) {
    yield {
      kind: 'refused-but-happened',
      message: `the refused check-out ${key} placed an order`,
      operations: attempts.map(({ id }) => id),
    };
  }
}

function* checkCharge({ told, attempts }: Order): Generator<Anomaly> {
  const agreed = attempts[0]!.input['expectedTotal'];
  for (const one of told) {
    const operations = [attempts[0]!.id, ...(one.operation === attempts[0]!.id ? [] : [one.operation])];
    const sum = one.lines.reduce((total, { quantity, unitPrice }) => total + quantity * unitPrice, 0);
    const wrong = (message: string): Anomaly => ({ kind: 'charged-wrong', message: `the order ${one.orderId} ${message}`, operations });
    if (sum !== one.subtotal) yield wrong(`says a subtotal of ${one.subtotal}, its lines make ${sum}`);
    if (one.subtotal - one.discount !== one.total) yield wrong(`takes ${one.discount} off ${one.subtotal} and charges ${one.total}`);
    if (typeof agreed === 'number' && agreed !== one.total) yield wrong(`charges ${one.total}; ${agreed} was agreed to`);
    const captures = (one.steps ?? []).filter((step) => /captured/i.test(step)).length;
    const due = one.status === 'placed' ? captures === 1 : captures === 0 || (one.status === 'pending' && captures === 1);
    if (one.steps !== undefined && !due) yield wrong(`is ${one.status} and was charged ${captures} times`);
  }
}

/** The order has exactly the dots that were seen, no more and no less. */
function* checkLines({ observed, told, attempts }: Order, { commands }: Facts): Generator<Anomaly> {
  const seen = quantitiesOf(observed, commands);
  const wrong = told.find(({ lines }) => linesKey(sumsOf(lines)) !== linesKey(seen));
  if (wrong === undefined) return;
  const makers = observed.flatMap((dot) => commands.get(dot)?.attempts[0]?.id ?? []);
  yield {
    kind: 'order-inexact',
    message: `the order ${wrong.orderId} has ${linesKey(sumsOf(wrong.lines))}; the dots that were seen make ${linesKey(seen)}`,
    operations: [...makers, attempts[0]!.id, wrong.operation],
  };
}

function* checkDots({ orders, commands }: Facts): Generator<Anomaly> {
  const by = new Map<string, Order>();
  for (const order of orders) {
    if (order.certainty !== 'yes') continue;
    const dots = order.observed;
    const twice = dots.find((dot) => by.has(dot));
    for (const dot of dots) by.set(dot, by.get(dot) ?? order);
    if (twice === undefined) continue;
    const [before, command] = [by.get(twice)!, commands.get(twice)];
    yield {
      kind: 'ordered-twice',
      message: `${twice} was ordered twice: by ${before.key} and by ${order.key}`,
      operations: [...(command?.attempts.slice(0, 1).map(({ id }) => id) ?? []), before.attempts[0]!.id, order.attempts[0]!.id],
    };
  }
}

/** Every order that a list shows was asked for by the person who reads the list. */
function* checkOwners({ history, orders }: Facts): Generator<Anomaly> {
  const owner = new Map(orders.flatMap(({ person, told }) => told.map(({ orderId }) => [orderId, person] as const)));
  const reported = new Set<string>();
  const listed = listedOf(history);
  const cancelled = new Set(listed.filter(({ status }) => status === 'cancelled').map(({ orderId }) => orderId));
  for (const { orderId, operation, person, status } of listed) {
    // The shop answered that the check-out was declined, and did not name the order. Until that answer the list shows the order as pending.
    const pends = status === 'pending' && asksMeanwhile(history, person, operation);
    const declined = (cancelled.has(orderId) || pends) && !owner.has(orderId);
    if (owner.get(orderId) === person || reported.has(orderId) || declined) continue;
    reported.add(orderId);
    if (owner.has(orderId))
      yield { kind: 'foreign', message: `${person} sees the order ${orderId} of ${owner.get(orderId)}`, operations: [operation] };
    else yield { kind: 'two-orders', message: `${person} sees the order ${orderId}, which was never asked for`, operations: [operation] };
  }
}

/** Tells whether a check-out without a result was running while the list was read. */
function asksMeanwhile({ operations }: History, person: string, readId: number): boolean {
  const read = operations.find(({ id }) => id === readId)!;
  const within = (one: Operation): boolean =>
    one.invokedAtMs <= (read.completedAtMs ?? Infinity) && (one.completedAtMs ?? Infinity) >= read.invokedAtMs;
  return operations.some((one) => one.kind === 'checkout' && one.outcome === 'failed' && one.person === person && within(one));
}

/** Compares sales with the stock before the first purchase. If that first look failed, it only checks that no stock falls below zero. */
function* checkStock({ history, orders }: Facts): Generator<Anomaly> {
  const firstSaleMs = history.operations.find(({ kind }) => kind === 'checkout')?.invokedAtMs ?? Infinity;
  const shelves = Map.groupBy(
    history.operations.filter(({ kind, outcome }) => kind === 'read-product' && outcome === 'ok'),
    ({ input }) => textOf(input['productId']),
  );
  for (const [productId, looks] of shelves) {
    const { output: told, completedAtMs = Infinity } = looks[0]!;
    const first = completedAtMs <= firstSaleMs ? Number(told?.['stock']) : Infinity;
    const placed = orders
      .filter(({ certainty }) => certainty === 'yes')
      .map((order) => [order, sumsOf(order.told.at(-1)!.lines).get(productId) ?? 0] as const);
    const sold = placed.reduce((sum, [, quantity]) => sum + quantity, 0);
    const below = looks.find(({ output }) => Number(output?.['stock']) < 0);
    if (sold <= first && below === undefined) continue;
    const operations = [
      looks[0]!.id,
      ...placed.filter(([, quantity]) => quantity > 0).map(([{ attempts }]) => attempts[0]!.id),
      ...(below ? [below.id] : []),
    ];
    yield { kind: 'oversold', message: `${sold} of ${productId} were sold, of ${first}`, operations };
  }
}
