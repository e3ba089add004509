/** Judges every read, at any time: data that must never show, the promise of a token, and how long a command takes to show. */
import { ownerOf } from './history.persons.ts';
import type { Anomaly, Fault, HistoryBounds } from './history.ts';
import { covers, quantitiesOf, textOf, type Command, type Facts, type Read } from './history.terms.ts';

export function checkReads(facts: Facts, bounds: HistoryBounds, told: ReadonlySet<string>): Anomaly[] {
  const byDevice = [...Map.groupBy(facts.reads, ({ operation }) => operation.client).values()];
  const fresh = facts.reads.filter(({ stale, dots }) => !stale && dots !== undefined);
  const byCart = [...Map.groupBy(fresh, ({ cart }) => cart)];
  return [
    ...facts.reads.flatMap((read) => [...checkShown(read, facts)]),
    ...fresh.flatMap((read) => [...checkMerged(read, facts, bounds, told), ...checkKilled(read, facts, bounds, told)]),
    ...byCart.flatMap(([cart, reads]) => [...checkPresent(cart, reads, facts, bounds, told)]),
    ...byDevice.flatMap((reads) => [...checkOrder(reads, facts, told)]),
  ];
}

/** This holds for a stale read too. A cart may be old, but it never holds anything that was not asked for. */
function* checkShown({ dots, lines, operation, cart }: Read, facts: Facts): Generator<Anomaly> {
  if (dots === undefined) return;
  const unknown = [...dots].filter((dot) => !facts.commands.has(dot));
  if (unknown.length > 0) {
    yield {
      kind: 'doubled',
      message: `the cart holds ${unknown.length} dots that no client sent: ${unknown[0]}`,
      operations: [operation.id],
    };
  }
  for (const command of [...dots].flatMap((dot) => facts.commands.get(dot) ?? [])) {
    const first = command.attempts[0]!;
    if (!command.carts.some((sentTo) => sentTo === cart || ownerOf(sentTo, facts.claims) === cart)) {
      yield {
        kind: 'foreign',
        message: `${command.name} was sent to ${command.carts.join(' and ')} and shows in ${cart}`,
        operations: [first.id, operation.id],
      };
    } else if (command.certainty === 'no') {
      yield { kind: 'refused-but-happened', message: `${command.name} was refused and is there`, operations: [first.id, operation.id] };
    }
  }
  if (unknown.length > 0) return;
  const made = quantitiesOf(dots, facts.commands);
  const shown = new Map(lines.map(({ productId, quantity }) => [productId, quantity]));
  for (const productId of new Set([...made.keys(), ...shown.keys()])) {
    const [there, sum] = [shown.get(productId) ?? 0, made.get(productId) ?? 0];
    if (there === sum) continue;
    const makers = [...dots].flatMap((dot) => facts.commands.get(dot) ?? []).filter((command) => command.productId === productId);
    const operations = [...makers.map(({ attempts }) => attempts[0]!.id), operation.id];
    yield { kind: there > sum ? 'doubled' : 'lost', message: `${there} of ${productId} are shown; the dots make ${sum}`, operations };
  }
}

/**
 * Tells whether the read brought a position of this cart that is at or after the record of the command.
 * The sender of the command does not matter.
 */
function isCovered({ attempts }: Command, { operation, cart }: Read): boolean {
  const token = textOf(operation.input['token']);
  if (token === '' || operation.input['tokenCart'] !== cart) return false;
  return attempts.some(({ output }) => textOf(output?.['token']) !== '' && covers(token, textOf(output?.['token'])));
}

const mayBeKilled = (dot: string, { killsOf }: Facts, beforeMs: number): boolean =>
  (killsOf.get(dot) ?? []).some(({ invokedAtMs }) => invokedAtMs < beforeMs);

const isMade = ({ kind }: Command): boolean => kind === 'add' || kind === 'set' || kind === 'apply-coupon';

/**
 * An acknowledged command must show: at once for a read that brings its position, else within a bound. After a possible kill nothing is
 * certain about it any more. So each read checks only a few commands, however long the history is.
 */
function* checkPresent(
  cart: string,
  reads: readonly Read[],
  facts: Facts,
  bounds: HistoryBounds,
  told: ReadonlySet<string>,
): Generator<Anomaly> {
  const coming = (facts.commandsOfCart.get(cart) ?? [])
    .filter((command) => isMade(command) && Number.isFinite(command.ackedAtMs) && !told.has(command.name))
    .toSorted((a, b) => b.ackedAtMs - a.ackedAtMs);
  let alive: Command[] = [];
  for (const read of reads.toSorted((a, b) => a.atMs - b.atMs)) {
    while (coming.length > 0 && coming.at(-1)!.ackedAtMs <= read.atMs) alive.push(coming.pop()!);
    alive = alive.filter(({ name }) => !mayBeKilled(name, facts, read.atMs));
    for (const command of alive) {
      if (read.dots!.has(command.name)) continue;
      const operations = [answerOf(command).id, read.operation.id];
      if (isCovered(command, read)) {
        const message = `a read that is not marked stale does not show ${command.name}, which it brought the position of`;
        yield { kind: 'stale-unmarked', message, operations };
      } else if (isLate(command.ackedAtMs, read, facts, bounds)) {
        yield { kind: 'late', message: `${command.name} does not show ${bounds.visibleWithinMs} ms after its answer`, operations };
      }
    }
  }
}

/**
 * A killed dot must not show, within the same bounds. Lines of an order go when the cart has heard of the
 * order; the end of the history judges that.
 */
function* checkKilled(read: Read, facts: Facts, bounds: HistoryBounds, told: ReadonlySet<string>): Generator<Anomaly> {
  for (const dot of read.dots!) {
    if (told.has(dot)) continue;
    for (const kill of facts.killsOf.get(dot) ?? []) {
      const command = facts.commands.get(kill.name);
      if (command === undefined || kill.cart !== read.cart || kill.ackedAtMs > read.atMs) continue;
      const operations = [
        ...(facts.commands
          .get(dot)
          ?.attempts.slice(0, 1)
          .map(({ id }) => id) ?? []),
        answerOf(command).id,
        read.operation.id,
      ];
      if (isCovered(command, read)) {
        const message = `a read that is not marked stale shows ${dot}, and brought the position of its removal (${kill.name})`;
        yield { kind: 'stale-unmarked', message, operations };
      } else if (isLate(kill.ackedAtMs, read, facts, bounds)) {
        yield { kind: 'resurrected', message: `${dot} is there ${bounds.visibleWithinMs} ms after its removal (${kill.name})`, operations };
      }
    }
  }
}

const answerOf = ({ attempts }: Command): Command['attempts'][number] => attempts.find(({ outcome }) => outcome === 'ok') ?? attempts[0]!;

/** `merged` promises that the cart holds everything that the guest had at the time of the claim. */
function* checkMerged(read: Read, facts: Facts, { gatewaysAreRegions }: HistoryBounds, told: ReadonlySet<string>): Generator<Anomaly> {
  const claim = facts.claimOfSession.get(textOf(read.operation.input['session']));
  if (read.merge !== 'merged' || claim?.certainty !== 'yes') return;
  const isElsewhere = ({ gateway }: Command['attempts'][number]): boolean => gatewaysAreRegions && gateway !== claim.operation.gateway;
  if (isElsewhere(read.operation)) return;
  for (const command of facts.commandsOfCart.get(claim.guestCart) ?? []) {
    if (command.ackedAtMs > claim.operation.invokedAtMs || told.has(command.name) || !isMade(command)) continue;
    if (isElsewhere(answerOf(command))) continue;
    if (read.dots!.has(command.name) || mayBeKilled(command.name, facts, read.atMs)) continue;
    const operations = [command.attempts[0]!.id, claim.operation.id, read.operation.id];
    yield { kind: 'lost', message: `${command.name} of the guest is missing from a cart that says "merged"`, operations };
  }
}

/** During a fault, and for a while after it, the fault explains any lateness. */
const isDisturbed = (faults: readonly Fault[], fromMs: number, toMs: number, graceMs: number): boolean =>
  faults.some((fault) => fault.fromMs < toMs && fault.toMs + graceMs > fromMs);

/** "Eventually" has a bound: on a healthy system a command that was acknowledged so long ago shows everywhere. */
function isLate(ackedAtMs: number, { operation }: Read, { history }: Facts, { visibleWithinMs }: HistoryBounds): boolean {
  if (ackedAtMs + visibleWithinMs >= operation.invokedAtMs) return false;
  return !isDisturbed(history.faults, ackedAtMs, operation.invokedAtMs, visibleWithinMs);
}

/** A sign-out between the two reads may have made the device forget its position. */
function bringsWhat(before: Read, { operation, cart }: Read): boolean {
  const reached = textOf(before.operation.output?.['reached']);
  return operation.input['tokenCart'] === cart && reached !== '' && covers(textOf(operation.input['token']), reached);
}

/** A device that sends its position sees each cart only go forward, also when the view was lost or put back. */
function* checkOrder(reads: readonly Read[], facts: Facts, told: ReadonlySet<string>): Generator<Anomaly> {
  const gone = new Map<string, Read>();
  let before: Read | undefined;
  for (const read of reads) {
    if (read.stale || read.dots === undefined || textOf(read.operation.input['token']) === '') continue;
    const sameCart = before?.cart === read.cart && before.atMs <= read.operation.invokedAtMs && bringsWhat(before, read);
    if (!sameCart) gone.clear();
    for (const dot of sameCart && gone.size > 0 ? read.dots : []) {
      const absent = gone.get(dot);
      if (absent === undefined || told.has(dot)) continue;
      const killer = facts.killsOf.get(dot)?.[0];
      const operations = [...(killer?.operations.slice(0, 1) ?? []), absent.operation.id, read.operation.id];
      yield {
        kind: killer === undefined ? 'went-back' : 'resurrected',
        message: `${dot} was gone for ${read.operation.client}, and is there again`,
        operations,
      };
    }
    for (const dot of sameCart ? before!.dots! : []) {
      if (read.dots.has(dot)) continue;
      if (!mayBeKilled(dot, facts, read.atMs) && !told.has(dot))
        yield {
          kind: 'went-back',
          message: `${dot} was shown to ${read.operation.client}, and is not any more`,
          operations: [before!.operation.id, read.operation.id],
        };
      gone.set(dot, read);
    }
    before = read;
  }
}
