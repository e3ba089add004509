/** A cart service in the test's own process: real use cases, projector and claims, on the event log and the view that the test hands in. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { create, toBinary } from '@bufbuild/protobuf';
import { IdentityEventSchema, isProblem, OrderEventSchema, recordHeaders, uuidV7, type Problem } from '@cloakroom/contracts';
import { EmbeddedEventLog, traceHeaders, type EventLog, type Position, type RecordTrace } from '@cloakroom/event-log';
import { signEvent, type KeyRing, type SigningKey } from '@cloakroom/identity';
import { startDeadline, type PersonContext } from '@cloakroom/mesh';
import { createLogger, startTrace, systemClock, type Clock } from '@cloakroom/platform';
import { addItem } from './commands/add-item.ts';
import { applyCoupon } from './commands/apply-coupon.ts';
import { evolveInBatch, type Dot } from './model/cart.ts';
import type { CartView } from './projection/cart.view.ts';
import { MemoryCartView } from './projection/cart.view.memory.ts';
import { namedLog } from './projection/named-log.ts';
import { startClaims } from './commands/claims.ts';
import { clearCart } from './commands/clear-cart.ts';
import { toDot } from './model/codec.ts';
import { getCart } from './reads/get-cart.ts';
import { cartTopics, topicsToEnsure, type CartParts, type CartTopics } from './cart.dependencies.ts';
import { startPlacedOrders } from './commands/placed-orders.ts';
import { prepareOrder } from './reads/prepare-order.ts';
import { startProjector, type Projector } from './projection/projector.ts';
import { removeCoupon } from './commands/remove-coupon.ts';
import { removeItem } from './commands/remove-item.ts';
import { setQuantity } from './commands/set-quantity.ts';

export const quiet = createLogger('cart-test', 'silent');

export const newCommandId = (nowMs: number = Date.now()): string => uuidV7(nowMs, randomBytes(10));
export const newUser = (): string => `u_${newCommandId()}`;
export const newGuest = (): string => `g_${newCommandId()}`;

export function personContext(
  subject: string,
  options: { consistency?: string; budgetMs?: number; signal?: AbortSignal; clock?: Clock } = {},
): PersonContext {
  return {
    identity: {
      subject,
      handle: 'handle',
      state: subject.startsWith('u_') ? 'user' : 'guest',
      epoch: 1,
      globalEpoch: 0,
      acr: '1',
      amr: [],
      authenticatedAtMs: 0,
      transaction: 'txn',
      actors: [],
      region: 'local',
      issuedAtMs: 0,
      expiresAtMs: Number.MAX_SAFE_INTEGER,
    },
    caller: 'gateway',
    deadline: startDeadline(options.budgetMs ?? 3_000, options.clock ?? systemClock),
    signal: options.signal ?? new AbortController().signal,
    trace: startTrace(randomBytes),
    experiment: undefined,
    consistency: options.consistency,
    timing: () => undefined,
    parent: undefined,
  };
}

/** Auth's key, and a key ring that holds it. */
export function newAuthKey(): { key: SigningKey; ring: KeyRing } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ring: KeyRing = {
    find: (kid) => (kid === 'auth-1' ? publicKey : undefined),
    refresh: () => Promise.resolve(),
    retire: () => undefined,
  };
  return { key: { kid: 'auth-1', privateKey }, ring };
}

export interface HarnessOptions {
  readonly eventLog?: EventLog;
  readonly view?: CartView;
  readonly topics?: CartTopics;
  readonly region?: string;
  readonly clock?: Clock;
  readonly group?: string;
}

export type Harness = Awaited<ReturnType<typeof openHarness>>;

export async function openHarness(options: HarnessOptions = {}) {
  const clock = options.clock ?? systemClock;
  const topics = options.topics ?? cartTopics;
  const eventLog = namedLog(options.eventLog ?? new EmbeddedEventLog({ log: quiet, clock }), topics);
  const view = options.view ?? new MemoryCartView();
  const parts: CartParts = { eventLog, view, clock, log: quiet, topics, region: options.region ?? 'local', evolve: evolveInBatch };
  await eventLog.ensureTopics(topicsToEnsure(topics));
  const auth = newAuthKey();
  const group = options.group ?? 'cart-projector';
  let projector = await startProjector(parts, group);
  await projector.ready;
  const claims = await startClaims({ ...parts, keys: auth.ring }, `${group}-claims`);
  const orders = await startPlacedOrders(parts, `${group}-orders`);
  const self = {
    parts,
    eventLog,
    view,
    topics,
    auth,
    group,
    projector: () => projector,
    async restartProjector(): Promise<void> {
      await projector.stop();
      projector = await startProjector(parts, group);
      await projector.ready;
    },
    ...commandsOf(parts, () => projector),
    /** Appends a claim, as auth's relay does after a sign-in. */
    claim: (
      guestCartId: string,
      userId: string,
      how: { eventId?: string; signer?: SigningKey; unsigned?: boolean; trace?: RecordTrace } = {},
    ): Promise<Position[]> => {
      const event = create(IdentityEventSchema, {
        eventId: how.eventId ?? newCommandId(),
        atMs: BigInt(clock.nowMs()),
        event: { case: 'guestClaimed', value: { guestCartId, userId, loginId: 'login' } },
      });
      const value = Buffer.from(toBinary(IdentityEventSchema, event));
      const headers = how.unsigned === true ? {} : { [recordHeaders.signature]: signEvent(topics.identity, value, how.signer ?? auth.key) };
      const trace = how.trace === undefined ? {} : traceHeaders(how.trace);
      return eventLog.publish(topics.identity, [{ key: userId, value, headers: { ...headers, ...trace } }]);
    },
    /** Publishes a confirmed order, as orders' relay does once the order is paid. */
    confirm: (userId: string, dots: readonly Dot[], how: { orderId?: string; cartId?: string; key?: string } = {}): Promise<Position[]> => {
      const { orderId = newCommandId(), cartId = userId, key = userId } = how;
      const value = toBinary(
        OrderEventSchema,
        create(OrderEventSchema, {
          eventId: newCommandId(),
          orderId,
          userId,
          atMs: BigInt(clock.nowMs()),
          event: { case: 'confirmed', value: { cartId, dots: dots.map(toDot) } },
        }),
      );
      return eventLog.publish(topics.orders, [{ key, value: Buffer.from(value) }]);
    },
    async stop(): Promise<void> {
      await claims.stop();
      await orders.stop();
      await projector.stop();
      if (options.eventLog === undefined) await eventLog.close();
      if (options.view === undefined) await view.close();
    },
  };
  return self;
}

/** The use cases, as the controller calls them. */
function commandsOf(parts: CartParts, projector: () => Projector) {
  return {
    add: (subject: string, productId = 'mug', quantity = 1, more: { commandId?: string; seen?: string; consistency?: string } = {}) =>
      addItem(parts, personContext(subject, more), {
        commandId: more.commandId ?? newCommandId(),
        productId,
        options: [],
        quantity,
        seen: more.seen ?? '',
      }),
    set: (subject: string, lineId: string, quantity: number, seen: string, commandId = newCommandId()) =>
      setQuantity(parts, personContext(subject), { commandId, lineId, quantity, seen }),
    remove: (subject: string, lineId: string, seen: string, commandId = newCommandId()) =>
      removeItem(parts, personContext(subject), { commandId, lineId, seen }),
    clear: (subject: string, seen: string, commandId = newCommandId()) => clearCart(parts, personContext(subject), { commandId, seen }),
    applyCoupon: (subject: string, code: string, commandId = newCommandId()) =>
      applyCoupon(parts, personContext(subject), { commandId, code }),
    removeCoupon: (subject: string, code: string, seen: string, commandId = newCommandId()) =>
      removeCoupon(parts, personContext(subject), { commandId, code, seen }),
    prepare: (subject: string, seen: string, consistency?: string) =>
      prepareOrder({ ...parts, projector: projector() }, personContext(subject, { ...(consistency !== undefined && { consistency }) }), {
        seen,
      }),
    get: (subject: string, consistency?: string, claimedGuestCart = '') =>
      getCart({ ...parts, projector: projector() }, personContext(subject, { ...(consistency !== undefined && { consistency }) }), {
        claimedGuestCart,
      }).then(accepted),
  };
}

/** @throws when the answer is a Problem. For steps that the test is not about. */
export function accepted<T extends object>(answer: T | Problem): T {
  if (isProblem(answer)) throw new Error(`refused: ${answer.problem} ${answer.detail ?? ''}`);
  return answer;
}

/** `{mug: 2}` of a cart's answer. */
export function quantitiesOf(cart: { lines?: readonly { lineId?: string; quantity?: number }[] }): Record<string, number> {
  return Object.fromEntries((cart.lines ?? []).map(({ lineId = '', quantity = 0 }) => [lineId, quantity]));
}
