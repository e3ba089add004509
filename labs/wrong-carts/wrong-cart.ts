/**
 * Starts cart through its own door, with a wrong model where the right one stands. Nothing in cart knows of this: two of the providers of its
 * module are replaced. One is `evolve`, which the projector calls. The other is the controller, for models that write something else than the
 * command says. Each such command runs as it is, on an event log that rewrites what it is given.
 */
import { CartController, cartToken, evolveToken, followerToken, readConfig, start } from '@cloakroom/cart';
import { isProblem } from '@cloakroom/contracts';
import type { EventLog, OutgoingRecord, Parts } from '@cloakroom/event-log';
import { person, type RequestContext } from '@cloakroom/mesh';
import type { Running } from '@cloakroom/platform';
import { partitionOfCart, type CartParts } from '../../apps/cart/src/cart.dependencies.ts';
import type { LogFollower } from '../../apps/cart/src/follow-log.ts';
import { emptyCart, type CartState } from '../../apps/cart/src/model/cart.ts';
import { decodeEvent, encodeEvent } from '../../apps/cart/src/model/codec.ts';
import { decodeSeen } from '../../apps/cart/src/model/seen.ts';
import { tokenFor, waitForToken, waitMaxMs } from '../../apps/cart/src/reads/consistency.ts';
import { modelOf } from './choose.ts';
import type { Write, WrongModel } from './model.ts';

type Replaced = NonNullable<Parameters<typeof start>[2]>;

export function startWrongCart(name: WrongModel, env: NodeJS.ProcessEnv, parts: Parts): Promise<Running> {
  parts.log.warn({ model: name }, 'EXERCISE: THIS CART LOSES THINGS ON PURPOSE; do not shop here');
  const { evolve, write } = modelOf(name);
  const rules = { provide: evolveToken, useValue: evolve };
  const controller = {
    provide: CartController,
    inject: [cartToken, followerToken],
    useFactory: (cart: CartParts, follower: LogFollower) => ({ handlers: write && handlersThat(write, cart, follower) }),
  };
  const replaced: Replaced = write === undefined ? [rules] : [rules, controller];
  return start(readConfig(env), parts, replaced);
}

function handlersThat(write: Write, cart: CartParts, follower: LogFollower): CartController['handlers'] {
  const of = (ctx: RequestContext, request: { readonly seen?: string }) =>
    new CartController({ ...cart, eventLog: rewriting(write, cart, ctx, request.seen ?? '') }, follower).handlers;
  return {
    ...new CartController(cart, follower).handlers,
    addItem: (ctx, request) => of(ctx, request).addItem(ctx, request),
    setQuantity: (ctx, request) => of(ctx, request).setQuantity(ctx, request),
    removeItem: (ctx, request) => of(ctx, request).removeItem(ctx, request),
    clearCart: (ctx, request) => of(ctx, request).clearCart(ctx, request),
    applyCoupon: (ctx, request) => of(ctx, {}).applyCoupon(ctx, request),
    removeCoupon: (ctx, request) => of(ctx, request).removeCoupon(ctx, request),
  };
}

/** The event log of one command. It appends what the model writes in place of the command's own event. */
function rewriting(write: Write, cart: CartParts, ctx: RequestContext, seen: string): EventLog {
  const dots = decodeSeen(seen);
  const read = () => readBack(cart, ctx);
  const rewrite = async (record: OutgoingRecord): Promise<OutgoingRecord> => {
    const event = decodeEvent({ ...record, headers: record.headers ?? {} });
    // A command whose `seen` is malformed is refused before it appends anything.
    const { value, headers } = encodeEvent(await write({ event, seen: isProblem(dots) ? [] : dots, read }));
    return { ...record, value, headers: { ...record.headers, ...headers } };
  };
  const publish: EventLog['publish'] = async (topic, records) => cart.eventLog.publish(topic, await Promise.all(records.map(rewrite)));
  return new Proxy(cart.eventLog, {
    get: (log, name) => (name === 'publish' ? publish : (Reflect.get(log, name) as unknown)),
  });
}

/** Reads the cart as a shop reads a row before it writes it: after its own earlier writes, as far as the client's token tells. */
async function readBack({ view, clock, region, ...cart }: CartParts, ctx: RequestContext): Promise<CartState> {
  const cartId = person(ctx).identity.subject;
  const partition = partitionOfCart(cart, cartId);
  const token = tokenFor(ctx.consistency, region, partition);
  if (token !== undefined) await waitForToken(view, token, { clock, budgetMs: waitMaxMs, signal: ctx.signal });
  return (await view.load(partition, [cartId])).carts.get(cartId)?.state ?? emptyCart(cartId);
}
