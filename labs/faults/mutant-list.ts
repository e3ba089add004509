/** Faults that the suite must notice: each takes one defence away. A defence that no test misses is a decoration. */

import { cartMutants } from './mutant-list.cart.ts';

export interface Mutant {
  readonly name: string;
  readonly file: string;
  /** Stands exactly once in the file, else the mutant is out of date and says so. */
  readonly find: string;
  readonly replace: string;
  /** Where it must be noticed: a package, and files of it. */
  readonly noticedBy: readonly { readonly package: string; readonly tests: readonly string[] }[];
  /** Needs a real Redis or Kafka. */
  readonly integration?: boolean;
}

export const mutants: readonly Mutant[] = [
  {
    name: 'signature-check-off',
    file: 'libs/identity/src/jws.ts',
    find: `if (!verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, signature)) return refuse('bad_signature');`,
    replace: '',
    noticedBy: [{ package: 'libs/identity', tests: ['jws', 'mesh.matrix'] }],
  },
  {
    name: 'tombstone-check-off-in-memory',
    file: 'libs/session/src/session.store.memory.ts',
    find: 'return this.#entries.has(tombstoneKey(tag, name));',
    replace: 'return false;',
    noticedBy: [{ package: 'libs/session', tests: ['session.store.memory.test.ts'] }],
  },
  {
    name: 'tombstone-check-off-in-redis',
    file: 'libs/session/src/session.scripts.ts',
    find: `local function dead(name) return redis.call('EXISTS', t_key(name)) == 1 end`,
    replace: 'local function dead(name) return false end',
    noticedBy: [{ package: 'libs/session', tests: ['session.store.redis.int.test.ts'] }],
    integration: true,
  },
  {
    name: 'server-check-off-in-redis',
    file: 'libs/session/src/session.scripts.ts',
    find: `if trusted ~= '*' and not string.find(trusted, server, 1, true) then return { server } end`,
    replace: '',
    noticedBy: [{ package: 'libs/session', tests: ['session.store.redis.int.test.ts', 'session.faults.cluster.int.test.ts'] }],
    integration: true,
  },
  {
    name: 'moving-slot-check-off-in-redis',
    file: 'libs/session/src/session.scripts.ts',
    find: `if type(moving) == 'table' then return redis.error_reply('TRYAGAIN the slot is moving, or its cluster is down') end`,
    replace: '',
    noticedBy: [{ package: 'libs/session', tests: ['session.faults.cluster.int.test.ts'] }],
    integration: true,
  },
  {
    name: 'lease-off-in-the-feed',
    file: 'libs/identity/src/revocation-feed.ts',
    find: 'return clock.monotonicMs() - this.leaseFromMs < leaseMs && !hasSlept(clock, this.leaseWallAheadMs);',
    replace: 'return true;',
    noticedBy: [{ package: 'libs/identity', tests: ['revocation-feed.test.ts'] }],
  },
  {
    name: 'lease-off-in-the-identity-cache',
    file: 'apps/gateway/src/identity/identity-cache.ts',
    find: 'if (!request.sensitive && this.feed.leaseValid()) {',
    replace: 'if (!request.sensitive) {',
    noticedBy: [{ package: 'apps/gateway', tests: ['identity-cache.test.ts'] }],
  },
  {
    name: 'predecessor-check-off-in-memory',
    file: 'apps/cart/src/projection/cart.view.memory.ts',
    find: 'if (!samePlace(of.place, expected)) return Promise.resolve(false);',
    replace: '',
    noticedBy: [{ package: 'apps/cart', tests: ['cart.view', 'projector'] }],
  },
  {
    name: 'pruning-forgets-deaths-of-guests-dots',
    file: 'apps/cart/src/model/cart.ts',
    find: ' || state.origins.has(id)',
    replace: '',
    noticedBy: [{ package: 'apps/cart', tests: ['cart.prune.test.ts', 'cart.test.ts'] }],
  },
  {
    name: 'removal-kills-what-is-not-known-yet-in-any-line',
    file: 'apps/cart/src/model/draft.ts',
    find: 'if (at === undefined && scope !== undefined && !this.#deadNow().has(id)) this.#doom(id, scope, atMs);\n      else if',
    replace: 'if',
    noticedBy: [{ package: 'apps/cart', tests: ['cart.test.ts'] }],
  },
  {
    name: 'redriven-copy-applied-again',
    file: 'apps/cart/src/projection/apply-record.ts',
    find: 'if (redriven !== undefined && !cart.missing.has(redriven)) return { ...cart, position };',
    replace: '',
    noticedBy: [{ package: 'apps/cart', tests: ['redrive.test.ts'] }],
  },
  {
    name: 'order-takes-what-was-not-ordered',
    file: 'apps/cart/src/reads/prepare-order.ts',
    find: 'const seenAndLive = { ...state, dots, coupons };',
    replace: 'const seenAndLive = state;',
    noticedBy: [{ package: 'apps/cart', tests: ['prepare-order.test.ts'] }],
  },
  {
    name: 'replay-switches-before-it-is-level',
    file: 'apps/cart/src/projection/cart.view.replay.ts',
    find: `if string.match(old, '^%d+') ~= next or string.match`,
    replace: `if string.match`,
    noticedBy: [{ package: 'apps/cart', tests: ['replay.int.test.ts'] }],
    integration: true,
  },
  {
    name: 'predecessor-check-off-in-redis',
    file: 'apps/cart/src/projection/cart.view.redis.ts',
    find: `if (redis.call('GET', KEYS[2]) or '') ~= ARGV[4] then return 0 end`,
    replace: '',
    noticedBy: [{ package: 'apps/cart', tests: ['int.test.ts'] }],
    integration: true,
  },
  {
    name: 'errors-logged-whole',
    file: 'libs/platform/src/log.ts',
    find: 'serializers: { err: plainError },',
    replace: '',
    noticedBy: [{ package: 'libs/platform', tests: ['log.test.ts'] }],
  },
  {
    name: 'records-without-the-span',
    file: 'libs/event-log/src/event-log.traces.ts',
    find: '[recordHeaders.traceparent]: Buffer.from(trace.traceparent)',
    replace: '',
    noticedBy: [{ package: 'libs/event-log', tests: ['telemetry.test.ts'] }],
  },
  {
    name: 'stock-below-zero',
    file: 'apps/catalog/src/stock/reservations.ts',
    find: `.where('stock', '>=', quantity)`,
    replace: '',
    noticedBy: [{ package: 'apps/catalog', tests: ['stock.test.ts'] }],
  },
  {
    name: 'stock-taken-for-some-lines',
    file: 'apps/catalog/src/stock/reservations.ts',
    find: 'if (short.length > 0) await giveBack(trx, taken);',
    replace: '',
    noticedBy: [{ package: 'apps/catalog', tests: ['stock.test.ts'] }],
  },
  {
    name: 'stock-given-back-twice',
    file: 'apps/catalog/src/stock/release-stock.ts',
    find: 'if (numUpdatedRows === 1n) await',
    replace: 'await',
    noticedBy: [{ package: 'apps/catalog', tests: ['stock.test.ts'] }],
  },
  {
    name: 'stock-in-the-order-of-the-cart',
    file: 'apps/catalog/src/stock/reserve-stock.ts',
    find: '(a.productId < b.productId ? -1 : a.productId > b.productId ? 1 : 0)',
    replace: '0',
    noticedBy: [{ package: 'apps/catalog', tests: ['catalog.postgres.int.test.ts'] }],
    integration: true,
  },
  {
    name: 'order-moved-on-from-any-phase',
    file: 'apps/orders/src/saga/saga.ts',
    find: `.where('phase', 'in', from)`,
    replace: '',
    noticedBy: [{ package: 'apps/orders', tests: ['orders.property.test.ts'] }],
  },
  {
    name: 'order-given-up-with-its-key-open',
    file: 'apps/orders/src/saga/saga.ts',
    find: 'const answer = await parts.payments.close(orderId);',
    replace: `const answer = { status: 'declined' } as Answer;`,
    noticedBy: [{ package: 'apps/orders', tests: ['saga.test.ts'] }],
  },
  {
    name: 'order-that-took-nothing-not-released',
    file: 'apps/orders/src/saga/saga.ts',
    find: "set: { phase: 'cancelled', reason, release_due: 1 }",
    replace: `set: { phase: 'cancelled', reason, release_due: reason === 'out_of_stock' ? 0 : 1 }`,
    noticedBy: [{ package: 'apps/orders', tests: ['saga.test.ts'] }],
  },
  {
    name: 'order-of-dots-that-are-taken',
    file: 'apps/orders/src/place-order/accept-order.ts',
    find: 'if (taken.length < rows.length)',
    replace: 'if (taken.length < 0)',
    noticedBy: [{ package: 'apps/orders', tests: ['orders.property.test.ts'] }],
  },
  {
    name: 'order-of-each-name-of-a-command',
    file: 'apps/orders/src/orders.commands.ts',
    find: 'select raise(ignore) where ${isTaken(false)};',
    replace: '',
    noticedBy: [{ package: 'apps/orders', tests: ['one-order-a-command.test.ts'] }],
  },
  {
    name: 'order-charged-by-another-key-each-time',
    file: 'apps/orders/src/saga/saga.ts',
    find: 'const request = { key: order.order_id,',
    replace: 'const request = { key: `${order.order_id} ${Math.random()}`,',
    noticedBy: [{ package: 'apps/orders', tests: ['saga.test.ts'] }],
  },
  {
    name: 'order-cancelled-while-its-payment-is-unknown',
    file: 'apps/orders/src/saga/saga.ts',
    find: `if (answer.status === 'unknown') {`,
    replace: `if (answer.status === 'unknown') { await conclude(parts, order, { status: 'declined' }); return true;`,
    noticedBy: [{ package: 'apps/orders', tests: ['saga.test.ts'] }],
  },
  {
    name: 'dots-of-a-cancelled-order-kept',
    file: 'apps/orders/src/saga/saga.ts',
    find: `await trx.deleteFrom('order_dots').where('order_id', '=', order.order_id).execute();`,
    replace: '',
    noticedBy: [{ package: 'apps/orders', tests: ['saga.test.ts'] }],
  },
  {
    name: 'coupon-used-by-two-orders',
    file: 'apps/orders/src/place-order/accept-order.ts',
    find: 'if (used === undefined) throw',
    replace: 'if (used === null) throw',
    noticedBy: [{ package: 'apps/orders', tests: ['place-order.test.ts'] }],
  },
  ...cartMutants,
];
