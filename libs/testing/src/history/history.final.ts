/**
 * Judges the end of a history, after everything is mended and every device has read at every gateway. Each person's cart
 * must then hold exactly the commands that were acknowledged and not killed. A command of unknown outcome may be there or
 * not, but it must be the same everywhere.
 */
import type { Anomaly, History } from './history.ts';
import { isSettled } from './history.orders.ts';
import { quantitiesOf, textOf, type Certainty, type Command, type Facts, type Kill, type Read, type Told } from './history.terms.ts';

export interface Ended {
  readonly anomalies: readonly Anomaly[];
  /** Dots that these anomalies report already. */
  readonly told: ReadonlySet<string>;
}

export function checkEnd(facts: Facts): Ended {
  const told = new Set<string>();
  const ends = lastReads(facts);
  const anomalies = [
    ...unanswered(facts.history),
    ...ends.flatMap((read) => [...unfinished(read, facts)]),
    ...ends.filter(({ stale }) => !stale).flatMap((read) => [...checkCart(read, facts, told)]),
    ...differing(ends),
    ...checkOrderLists(facts),
  ];
  return { anomalies: onePerMessage(anomalies), told };
}

/** Commands that do not show yet. A run waits for them before it ends. */
export function waitingFor(facts: Facts): Anomaly[] {
  const pending = facts.orders.filter((order) => !isSettled(order));
  return [
    ...checkEnd(facts).anomalies,
    ...pending.map(({ key, attempts }) => ({
      kind: 'not-converged',
      message: `the order ${key} is pending`,
      operations: attempts.map(({ id }) => id),
    })),
  ];
}

/** A device that looked at the end found each order that it had been told of. None of them still waits for its payment. */
function* checkOrderLists({ history, orders }: Facts): Generator<Anomaly> {
  const looks = history.operations.filter(
    ({ kind, outcome, input }) => kind === 'read-orders' && outcome === 'ok' && input['final'] === true,
  );
  for (const order of orders) {
    const own = looks.filter(({ person }) => person === order.person);
    const last = order.told.at(-1);
    if (last === undefined || own.length === 0) continue;
    const first = order.attempts[0]!.id;
    const listed = new Map(
      own.flatMap(({ id, output }) => (output!['orders'] as Told[]).map((told) => [told.orderId, { told, id }] as const)),
    );
    const found = listed.get(last.orderId);
    if (found?.told.status === 'pending')
      yield { kind: 'not-converged', message: `the order ${order.key} is still pending in the last list`, operations: [first, found.id] };
    // A list that breaks off proves nothing about the orders that it lacks.
    if (found === undefined && listed.size >= Number(own.at(-1)!.output!['total']))
      yield {
        kind: 'lost',
        message: `the order ${last.orderId} is not among those of ${order.person}`,
        operations: [first, own.at(-1)!.id],
      };
  }
}

/** The last read of each device at each gateway. */
function lastReads({ reads }: Facts): Read[] {
  const last = new Map<string, Read>();
  for (const read of reads) if (read.final && read.cart !== '') last.set(`${read.operation.client} ${read.operation.gateway}`, read);
  return [...last.values()];
}

function* unanswered({ operations }: History): Generator<Anomaly> {
  const last = new Map<string, History['operations'][number]>();
  for (const one of operations) if (one.kind === 'read' && one.input['final'] === true) last.set(`${one.client} ${one.gateway}`, one);
  for (const { id, outcome, client, gateway, error } of last.values()) {
    if (outcome !== 'ok')
      yield {
        kind: 'not-converged',
        message: `the last read of ${client} at ${gateway} was not answered: ${error ?? 'nothing'}`,
        operations: [id],
      };
  }
}

function* unfinished({ operation, stale, incomplete, merge }: Read, { claimOfSession }: Facts): Generator<Anomaly> {
  const who = `${operation.client} at ${operation.gateway}`;
  const login = claimOfSession.get(textOf(operation.input['session']))?.operation;
  const operations = [...(login === undefined ? [] : [login.id]), operation.id];
  if (stale) yield { kind: 'not-converged', message: `the last read of ${who} is stale`, operations: [operation.id] };
  if (incomplete) yield { kind: 'not-converged', message: `the last read of ${who} lacks a record`, operations: [operation.id] };
  if (merge === 'pending') yield { kind: 'not-converged', message: `the guest's cart never joined that of ${who}`, operations };
}

/**
 * Tells whether the command is in this cart, unless something killed it. It looks at commands sent to this cart, and to guest carts that it
 * claimed. One good answer among several attempts is enough. So is a read that showed the command there.
 */
function isIn(command: Command, cart: string, { claims, commandsOfCart }: Facts): Certainty {
  const certainties = command.carts.map((sentTo): Certainty => {
    const claim = claims.get(sentTo);
    const belongs = sentTo === cart ? 'yes' : claim !== undefined && `user:${claim.person}` === cart ? claim.certainty : 'no';
    const told = command.carts.length === 1 ? command : commandsOfCart.get(sentTo)!.find(({ name }) => name === command.name)!;
    return belongs === 'no' || told.certainty === 'no' ? 'no' : belongs === 'maybe' || told.certainty === 'maybe' ? 'maybe' : 'yes';
  });
  if (certainties.includes('yes')) return 'yes';
  if (!certainties.includes('maybe')) return 'no';
  return command.shown.has(cart) ? 'yes' : 'maybe';
}

function* checkCart(read: Read, facts: Facts, told: Set<string>): Generator<Anomaly> {
  const { dots, cart } = read;
  if (dots === undefined) return yield* checkQuantities(read, facts);
  for (const command of facts.commands.values()) {
    if (!['add', 'set', 'apply-coupon'].includes(command.kind)) continue;
    const here = isIn(command, cart, facts);
    if (here === 'no') continue;
    const kills = facts.killsOf.get(command.name) ?? [];
    if (dots.has(command.name)) {
      const killer = kills.find((kill) => kill.certainty === 'yes');
      if (killer === undefined) continue;
      told.add(command.name);
      yield resurrected(command, killer, read);
    } else if (here === 'yes' && !kills.some((kill) => mayHaveHappened(kill, dots, facts))) {
      told.add(command.name);
      yield lost(command, read);
    }
  }
}

/** An unanswered kill did not happen if another dot that it had observed is alive. */
function mayHaveHappened({ certainty, observed, productId }: Kill, dots: ReadonlySet<string>, { commands }: Facts): boolean {
  if (certainty === 'yes') return true;
  return ![...observed].some((dot) => dots.has(dot) && (productId === undefined || commands.get(dot)?.productId === productId));
}

const what = ({ kind, quantity, productId, name, attempts }: Command): string =>
  kind === 'apply-coupon' ? `the coupon ${String(attempts[0]!.input['code'])} (${name})` : `${kind} ${quantity} of ${productId} (${name})`;

function lost(command: Command, { operation }: Read): Anomaly {
  const answer = command.attempts.find(({ outcome }) => outcome === 'ok') ?? command.attempts[0]!;
  return {
    kind: 'lost',
    message: `${what(command)} was acknowledged, nothing that had seen it removed it, and it is not there`,
    operations: [answer.id, operation.id],
  };
}

function resurrected(command: Command, { operations, byOrder, name }: Kill, { operation }: Read): Anomaly {
  const message = byOrder
    ? `${what(command)} was ordered (${name}) and is still in the cart`
    : `${what(command)} was removed (${name}) and is there`;
  return { kind: byOrder ? 'ordered-stays' : 'resurrected', message, operations: [command.attempts[0]!.id, operations[0]!, operation.id] };
}

/** For a cart that does not name its dots: finds less than must be alive, or more than may be alive. */
function* checkQuantities({ lines, cart, operation }: Read, facts: Facts): Generator<Anomaly> {
  const here = [...facts.commands.values()].filter((c) => ['add', 'set'].includes(c.kind) && isIn(c, cart, facts) !== 'no');
  const unseen = facts.kills.filter(({ observed }) => observed.size === 0);
  const killsOf = (c: Command): Kill[] => [
    ...(facts.killsOf.get(c.name) ?? []),
    ...unseen.filter(
      (k) => k.name !== c.name && c.carts.includes(k.cart) && (k.productId ?? c.productId) === c.productId && k.ackedAtMs > c.invokedAtMs,
    ),
  ];
  const sure = here.filter((c) => isIn(c, cart, facts) === 'yes' && killsOf(c).length === 0);
  const possible = here.filter((c) => !killsOf(c).some(({ certainty, observed }) => certainty === 'yes' && observed.size > 0));
  const [least, most] = [sure, possible].map((some) =>
    quantitiesOf(
      some.map(({ name }) => name),
      facts.commands,
    ),
  );
  const shown = new Map(lines.map(({ productId, quantity }) => [productId, quantity]));
  for (const productId of new Set([...shown.keys(), ...least!.keys()])) {
    const [there, min, max] = [shown.get(productId) ?? 0, least!.get(productId) ?? 0, most!.get(productId) ?? 0];
    if (there >= min && there <= max) continue;
    const ids = here.filter((c) => c.productId === productId).map(({ attempts }) => attempts[0]!.id);
    const killed = here.some((c) => c.productId === productId && killsOf(c).length > 0);
    const kind = there < min ? 'lost' : killed ? 'resurrected' : 'doubled';
    yield { kind, message: `there are ${there} of ${productId}; it must be ${min} to ${max}`, operations: [...ids, operation.id] };
  }
}

function* differing(ends: readonly Read[]): Generator<Anomaly> {
  const carts = Map.groupBy(
    ends.filter(({ stale }) => !stale),
    ({ cart }) => cart,
  );
  const textOfCart = ({ lines, dots }: Read): string =>
    JSON.stringify([lines.map(({ productId, quantity }) => `${productId} ${quantity}`).sort(), [...(dots ?? [])].sort()]);
  for (const [cart, reads] of carts) {
    const [first] = reads;
    const other = reads.find((read) => textOfCart(read) !== textOfCart(first!));
    if (other)
      yield {
        kind: 'diverged',
        message: `two devices end with different carts of ${cart}`,
        operations: [first!.operation.id, other.operation.id],
      };
  }
}

/** Each device at each gateway finds the same anomaly; one report is enough. */
function onePerMessage(anomalies: readonly Anomaly[]): Anomaly[] {
  return [...new Map(anomalies.toReversed().map((anomaly) => [`${anomaly.kind} ${anomaly.message}`, anomaly])).values()].reverse();
}
