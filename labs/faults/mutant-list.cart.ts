/**
 * Mutants of the cart: how other shops do it, and what a tired person might write. `npm run prove` shows for each the smallest history in which a law
 * breaks; `npm run mutants` sees the tests fail.
 */
import type { Mutant } from './planted.ts';

const property = [{ package: 'labs', tests: ['prove/cart.property.test.ts'] }];
const cart = 'apps/cart/src/model/cart.ts';
const frequentEvents = 'apps/cart/src/model/codec.frequent.ts';
const leanReader = [{ package: 'apps/cart', tests: ['codec.frequent.test.ts'] }];
const projection = 'apps/cart/src/projection/project-batch.ts';
const twoLogs = 'apps/cart/src/projection/two-logs.ts';
const namesOfACommand = [
  'export const dotOf = (cartId: string, commandId: string): Dot => `${cartId}/${commandId}`;',
  "export const cartOfDot = (dot: Dot): string => dot.slice(0, dot.indexOf('/'));",
  "export const commandOfDot = (dot: Dot): string => dot.slice(dot.indexOf('/') + 1);",
];

export const cartMutants: readonly Mutant[] = [
  {
    name: 'cart-guest-removes-not-carried',
    file: cart,
    find: 'for (const [id, killedAtMs] of event.dead) draft.kill(id, event.guestCartId, killedAtMs, undefined);',
    replace: '',
    noticedBy: property,
  },
  {
    name: 'cart-new-ids-at-merge',
    file: cart,
    find: 'for (const [id, live] of event.dots) draft.live(id, event.guestCartId, live);',
    replace: 'for (const [id, live] of event.dots) draft.live(`${id}${event.guestOffset}`, event.guestCartId, live);',
    noticedBy: property,
  },
  {
    name: 'cart-late-guest-events-dropped',
    file: cart,
    find: 'const newer = before === undefined || holdsMore(event, before);',
    replace: 'const newer = before === undefined;',
    noticedBy: property,
  },
  {
    name: 'cart-older-guest-events-taken',
    file: cart,
    find: 'const newer = before === undefined || holdsMore(event, before);',
    replace: 'const newer = true;',
    noticedBy: property,
  },
  {
    name: 'cart-last-writer-wins',
    file: cart,
    find: 'draft.killAll(observedOf(event), event.atMs, event.line);',
    replace: 'draft.killAll([...state.dots.keys()].map((id) => dotIn(state, id)), event.atMs, event.line);',
    noticedBy: property,
  },
  {
    name: 'cart-removes-by-product',
    file: cart,
    find: 'draft.killAll(observedOf(event), event.atMs, scopeOf(event));',
    replace: 'draft.killAll([...state.dots.keys()].map((id) => dotIn(state, id)), event.atMs, scopeOf(event));',
    noticedBy: property,
  },
  {
    name: 'cart-removal-takes-other-lines',
    file: cart,
    find: 'draft.killAll(observedOf(event), event.atMs, scopeOf(event));',
    replace: 'draft.killAll([...observedOf(event), ...[...state.dots.keys()].map((id) => dotIn(state, id))], event.atMs, undefined);',
    noticedBy: property,
  },
  {
    name: 'cart-order-kills-unseen',
    file: cart,
    find: 'draft.killAll(event.dots, event.atMs, undefined);',
    replace: 'draft.killAll([...event.dots, ...[...state.dots.keys()].map((id) => dotIn(state, id))], event.atMs, undefined);',
    noticedBy: property,
  },
  {
    name: 'cart-order-forgets-what-is-late',
    file: cart,
    find: 'draft.killAll(event.dots, event.atMs, undefined);',
    replace: 'draft.killAll(event.dots.filter((dot) => isLive(state, commandOfDot(dot))), event.atMs, undefined);',
    noticedBy: property,
  },
  {
    name: 'cart-sets-add-up',
    file: cart,
    find: 'sum.set = Math.max(sum.set, quantity);',
    replace: 'sum.set += quantity;',
    noticedBy: property,
  },
  {
    name: 'cart-claimed-by-the-next-one-too',
    file: cart,
    find: 'return state.claimedBy === undefined && isGuestSubject(state.cartId)',
    replace: 'return isGuestSubject(state.cartId)',
    noticedBy: property,
  },
  {
    name: 'cart-forgets-the-dead-at-once',
    file: cart,
    find: 'export const deadKeptMs = 45 * dayMs;',
    replace: 'export const deadKeptMs = 0;',
    noticedBy: [{ package: 'apps/cart', tests: ['cart.prune.test.ts'] }],
  },
  {
    name: 'cart-forgets-the-dead-of-guests',
    file: cart,
    find: 'killedAtMs > nowMs - deadKeptMs || state.origins.has(id);',
    replace: 'killedAtMs > nowMs - deadKeptMs;',
    noticedBy: [{ package: 'apps/cart', tests: ['cart.prune.test.ts'] }],
  },
  {
    name: 'cart-dead-dots-may-return',
    file: 'apps/cart/src/model/cart.state.ts',
    find: 'if (this.#deadNow().has(id)) return false;',
    replace: '',
    noticedBy: property,
  },
  {
    name: 'cart-kills-only-what-has-come',
    file: 'apps/cart/src/model/cart.state.ts',
    find: '(this.#doomed ??= this.#copyOf(this.#before.doomed)).set(id, new Map(known).set(scope, atMs));',
    replace: '',
    noticedBy: property,
  },
  {
    // How it was, until a repeated add that met a sign-in counted twice: docs/postmortems/0003-counted-twice-at-sign-in.md.
    name: 'cart-counts-each-name-of-a-command',
    file: 'apps/cart/src/model/cart.state.ts',
    find: namesOfACommand.join('\n'),
    replace: namesOfACommand
      .join('\n')
      .replace('`${cartId}/${commandId}`', "(commandId.includes('/') ? commandId : `${cartId}/${commandId}`)")
      .replace("dot.slice(dot.indexOf('/') + 1)", 'dot'),
    noticedBy: property,
  },
  {
    name: 'cart-forgets-further-origins',
    file: 'apps/cart/src/model/cart.state.ts',
    find: 'if (known?.includes(origin) ?? origin === cartId) return;',
    replace: 'if (known !== undefined || this.#isKnown(id) || origin === cartId) return;',
    noticedBy: [{ package: 'apps/cart', tests: ['one-command.test.ts'] }],
  },
  {
    name: 'cart-batch-changes-what-was-loaded',
    file: 'apps/cart/src/model/cart.state.ts',
    find: 'if (this.#made.has(map)) return map as Map<Key, Value>;',
    replace: 'return map as Map<Key, Value>;',
    noticedBy: [{ package: 'apps/cart', tests: ['batch.test.ts'] }],
  },
  {
    name: 'cart-lean-reader-passes-over-what-follows',
    file: frequentEvents,
    find: '!isUint32(quantity) || reader.left() !== 0) return undefined;',
    replace: '!isUint32(quantity)) return undefined;',
    noticedBy: leanReader,
  },
  {
    name: 'cart-lean-reader-passes-over-a-dots-end',
    file: frequentEvents,
    find: ' || this.#at + uuidBytes !== end)',
    replace: ')',
    noticedBy: leanReader,
  },
  {
    name: 'cart-lean-reader-takes-any-text-for-ascii',
    file: frequentEvents,
    find: 'if (all >= asciiEnd) return false;',
    replace: '',
    noticedBy: leanReader,
  },
  {
    name: 'watermark-without-predecessor',
    file: projection,
    find: 'if (fresh[0]?.offset !== next)',
    replace: 'if (fresh.length === 0)',
    noticedBy: property,
  },
  {
    name: 'watermark-passed-again',
    file: projection,
    find: 'const fresh = records.filter(({ offset }) => offset >= next);',
    replace: 'const fresh = [{ ...records[0]!, offset: next }, ...records.slice(1)];',
    noticedBy: property,
  },
  {
    name: 'projector-carries-carts-of-another-place',
    file: 'apps/cart/src/projection/carried-carts.ts',
    find: 'if (carried?.era === era)',
    replace: 'if (carried !== undefined)',
    noticedBy: [{ package: 'apps/cart', tests: ['carried-carts.test.ts'] }],
  },
  {
    name: 'projector-tells-of-what-it-only-carries',
    file: projection,
    find: '!(await standsAt(parts, partition, place))',
    replace: 'false',
    noticedBy: [{ package: 'apps/cart', tests: ['carried-carts.test.ts'] }],
  },
  {
    name: 'projector-carries-during-a-sweep',
    file: 'apps/cart/src/projection/carried-carts.ts',
    find: 'if (this.#closed.has(partition)) return;',
    replace: '',
    noticedBy: [{ package: 'apps/cart', tests: ['carried-carts.test.ts'] }],
  },
  {
    name: 'guest-changes-forwarded-once',
    file: projection,
    find: 'return joined !== undefined && joined.guestOffset >= own.offset;',
    replace: 'return joined !== undefined;',
    noticedBy: property,
  },
  {
    name: 'regions-first-of-two-payloads-stands',
    file: 'apps/cart/src/model/cart.state.ts',
    find: 'if (known !== undefined && !isLarger(live, known)) return;',
    replace: 'if (known !== undefined) return;',
    noticedBy: property,
  },
  {
    name: 'regions-first-of-two-lines-stands',
    file: 'apps/cart/src/model/cart.state.ts',
    find: 'if (at !== undefined && at !== scope) this.#kill(id, uuidV7Milliseconds(id) ?? 0);',
    replace: '',
    noticedBy: property,
  },
  {
    name: 'regions-one-offset-for-all-logs',
    file: cart,
    find: 'if (join.guestOffsets === undefined) return before.guestOffsets === undefined && join.guestOffset > before.guestOffset;',
    replace: 'if (join.guestOffset >= 0n) return join.guestOffset > before.guestOffset;',
    noticedBy: property,
  },
  {
    name: 'regions-copied-claim-forwards-nothing',
    file: projection,
    find: 'return region === undefined || (claimed && position > 0n);',
    replace: 'return region === undefined;',
    noticedBy: property,
  },
  {
    name: 'regions-gap-of-a-copy-is-passed',
    file: twoLogs,
    find: 'if (next === undefined || next.logId !== known.logId || next.offset <= known.reached) return undefined;',
    replace: 'if (next !== undefined) return undefined;',
    noticedBy: [{ package: 'apps/cart', tests: ['two-logs.test.ts'] }],
  },
  {
    name: 'regions-join-claims-what-was-buried',
    file: twoLogs,
    find: 'offset: ends.reduce((one, other) => (other < one ? other : one), of.offset) - 1n };',
    replace: 'offset: of.offset - 1n };',
    noticedBy: [{ package: 'apps/cart', tests: ['redrive.guests.test.ts'] }],
  },
  {
    name: 'regions-forget-the-dead-in-a-cut',
    file: twoLogs,
    find: 'Math.min(ownMs, ...mirrors.map(({ heardMs }) => heardMs));',
    replace: '(mirrors, ownMs);',
    noticedBy: property,
  },
  {
    name: 'regions-replaced-log-looks-like-repetitions',
    file: 'apps/cart/src/model/cart.state.ts',
    find: 'offsets?.find(({ region, logId }) => region === log.region && logId === log.logId)?.offset;',
    replace: 'offsets?.find(({ region }) => region === log.region)?.offset;',
    noticedBy: [{ package: 'apps/cart', tests: ['two-logs.test.ts'] }],
  },
  {
    name: 'regions-copied-record-taken-again',
    file: twoLogs,
    find: 'return origin.offset < (offsetIn(cart.inRegions?.positions, origin) ?? 0n);',
    replace: 'return false;',
    noticedBy: [{ package: 'apps/cart', tests: ['two-logs.test.ts'] }],
  },
  {
    name: 'regions-redriven-copy-applied-again',
    file: 'apps/cart/src/projection/apply-record.ts',
    find: 'if (redriven !== undefined && !isMissing(cart, redriven, record, region)) return reached;',
    replace: 'if (redriven !== undefined && region === undefined && !isMissing(cart, redriven, record, region)) return reached;',
    noticedBy: [{ package: 'apps/cart', tests: ['redrive.regions.test.ts'] }],
  },
  {
    name: 'regions-place-of-a-copy-not-compared',
    file: 'apps/cart/src/projection/cart.view.ts',
    find: 'return isOfOwnLog && (a.mirrors === b.mirrors || mirrorsText(a) === mirrorsText(b));',
    replace: 'return isOfOwnLog;',
    noticedBy: [{ package: 'apps/cart', tests: ['two-logs.test.ts', 'cart.view.memory.test.ts'] }],
  },
];

/** Those that a law of `npm run prove` finds. Forgetting what guests removed takes a history of weeks: a test of its own makes those up. */
export const provenMutants = cartMutants.filter(({ noticedBy }) => noticedBy === property);
