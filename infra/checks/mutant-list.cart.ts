/**
 * Mutants of the cart: how other shops do it, and what a tired person might write. `npm run prove` shows for each the smallest history in which a law
 * breaks; `npm run mutants` sees the tests fail.
 */
import type { Mutant } from './mutant-list.ts';

const property = [{ package: 'apps/cart', tests: ['cart.property.test.ts'] }];
const cart = 'apps/cart/src/cart.ts';
const projection = 'apps/cart/src/project-batch.ts';

export const cartMutants: readonly Mutant[] = [
  {
    name: 'cart-guest-removes-not-carried',
    file: cart,
    find: 'for (const [dot, killedAtMs] of event.dead) draft.kill([dot], killedAtMs, undefined);',
    replace: '',
    noticedBy: property,
  },
  {
    name: 'cart-new-dots-at-merge',
    file: cart,
    find: 'for (const [dot, live] of event.dots) draft.live(dot, live);',
    replace: 'for (const [dot, live] of event.dots) draft.live(dot.replace(event.guestCartId, state.cartId), live);',
    noticedBy: property,
  },
  {
    name: 'cart-late-guest-events-dropped',
    file: cart,
    find: 'const newer = before === undefined || event.guestOffset > before.guestOffset;',
    replace: 'const newer = before === undefined;',
    noticedBy: property,
  },
  {
    name: 'cart-older-guest-events-taken',
    file: cart,
    find: 'const newer = before === undefined || event.guestOffset > before.guestOffset;',
    replace: 'const newer = true;',
    noticedBy: property,
  },
  {
    name: 'cart-last-writer-wins',
    file: cart,
    find: 'draft.kill(observedOf(event), event.atMs, event.line);',
    replace: 'draft.kill([...state.dots.keys()], event.atMs, event.line);',
    noticedBy: property,
  },
  {
    name: 'cart-removes-by-product',
    file: cart,
    find: 'draft.kill(observedOf(event), event.atMs, scopeOf(event));',
    replace: 'draft.kill([...state.dots.keys()], event.atMs, scopeOf(event));',
    noticedBy: property,
  },
  {
    name: 'cart-removal-takes-other-lines',
    file: cart,
    find: 'draft.kill(observedOf(event), event.atMs, scopeOf(event));',
    replace: 'draft.kill([...observedOf(event), ...state.dots.keys()], event.atMs, undefined);',
    noticedBy: property,
  },
  {
    name: 'cart-order-kills-unseen',
    file: cart,
    find: 'draft.kill(event.dots, event.atMs, undefined);',
    replace: 'draft.kill([...event.dots, ...state.dots.keys()], event.atMs, undefined);',
    noticedBy: property,
  },
  {
    name: 'cart-order-forgets-what-is-late',
    file: cart,
    find: 'draft.kill(event.dots, event.atMs, undefined);',
    replace: 'draft.kill(event.dots.filter((dot) => isLive(state, dot)), event.atMs, undefined);',
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
    find: 'export const deadKeptMs = 14 * dayMs;',
    replace: 'export const deadKeptMs = 0;',
    noticedBy: property,
  },
  {
    name: 'cart-forgets-the-dead-of-guests',
    file: cart,
    find: 'killedAtMs > nowMs - deadKeptMs || cartOfDot(dot) !== state.cartId;',
    replace: 'killedAtMs > nowMs - deadKeptMs;',
    noticedBy: [{ package: 'apps/cart', tests: ['cart.prune.test.ts'] }],
  },
  {
    name: 'cart-dead-dots-may-return',
    file: 'apps/cart/src/draft.ts',
    find: 'if (this.#deadNow().has(dot) || this.#scopeOf(dot) !== undefined) return false;',
    replace: 'if (this.#scopeOf(dot) !== undefined) return false;',
    noticedBy: property,
  },
  {
    name: 'cart-kills-only-what-has-come',
    file: 'apps/cart/src/draft.ts',
    find: '(this.#doomed ??= new Map(this.#before.doomed)).set(dot, new Map(known).set(scope, atMs));',
    replace: '',
    noticedBy: property,
  },
  {
    name: 'watermark-without-predecessor',
    file: projection,
    find: 'if (fresh[0]?.offset !== place.next)',
    replace: 'if (fresh.length === 0)',
    noticedBy: property,
  },
  {
    name: 'watermark-passed-again',
    file: projection,
    find: 'const fresh = records.filter(({ offset }) => offset >= place.next);',
    replace: 'const fresh = [{ ...records[0]!, offset: place.next }, ...records.slice(1)];',
    noticedBy: property,
  },
  {
    name: 'guest-changes-forwarded-once',
    file: projection,
    find: 'return joined !== undefined && joined.guestOffset >= guestOffset;',
    replace: 'return joined !== undefined;',
    noticedBy: property,
  },
];

/** Those that a law of `npm run prove` finds. Forgetting what guests removed takes a history of weeks: a test of its own makes those up. */
export const provenMutants = cartMutants.filter(({ noticedBy }) => noticedBy === property);
