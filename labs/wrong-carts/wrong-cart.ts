/**
 * Starts cart through its own door, with a wrong model where the right one stands. Nothing in cart knows of this: two parts of its
 * module are replaced. One is `evolve`, which the projector calls. The other is the controller, for models that write something else than the
 * command says. Each such command runs as it is, on an event log that rewrites what it is given.
 */
import { CartController, evolveToken, readConfig, type Replaced, start } from '@cloakroom/cart';
import { CartService, isProblem } from '@cloakroom/contracts';
import type { EventLog, OutgoingRecord, Parts } from '@cloakroom/event-log';
import { person, type RequestContext, Rpc } from '@cloakroom/mesh';
import type { Running } from '@cloakroom/platform';
import type { CartParts } from '../../apps/cart/src/cart.dependencies.ts';
import type { LogFollower } from '../../apps/cart/src/follow-log.ts';
import { emptyCart, type CartState } from '../../apps/cart/src/model/cart.ts';
import { decodeEvent, encodeEvent } from '../../apps/cart/src/model/codec.ts';
import { decodeSeen } from '../../apps/cart/src/model/seen.ts';
import { partitionOfCart, tokenFor, waitForToken, waitMaxMs } from '../../apps/cart/src/reads/consistency.ts';
import { modelOf } from './choose.ts';
import type { Write, WrongModel } from './model.ts';

export function startWrongCart(name: WrongModel, env: NodeJS.ProcessEnv, parts: Parts): Promise<Running> {
  parts.log.warn({ model: name }, 'EXERCISE: THIS CART LOSES THINGS ON PURPOSE; do not shop here');
  const { evolve, write } = modelOf(name);
  const rules = [{ provide: evolveToken, useValue: evolve }];
  const replaced: Replaced = write === undefined ? { providers: rules } : { providers: rules, controller: controllerThat(write) };
  return start(readConfig(env), parts, replaced);
}

const commands = ['addItem', 'setQuantity', 'removeItem', 'clearCart', 'applyCoupon', 'removeCoupon'] as const;

/** The right controller, but each command runs on one of its own, with an event log that rewrites. */
function controllerThat(write: Write): typeof CartController {
  class WrongController extends CartController {
    readonly of: (ctx: RequestContext, seen: string) => CartController;

    constructor(cart: CartParts, follower: LogFollower) {
      super(cart, follower);
      this.of = (ctx, seen) => new CartController({ ...cart, eventLog: rewriting(write, cart, ctx, seen) }, follower);
    }
  }
  for (const command of commands) {
    const value = function (this: WrongController, ctx: RequestContext, request: { readonly seen?: string }) {
      return this.of(ctx, request.seen ?? '')[command](ctx, request as never);
    };
    Object.defineProperty(WrongController.prototype, command, { value });
    // Node runs this file as it is, and knows no decorators.
    Rpc(CartService.method[command])(WrongController.prototype, command, { value } as TypedPropertyDescriptor<never>);
  }
  return WrongController;
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
async function readBack(cart: CartParts, ctx: RequestContext): Promise<CartState> {
  const { view, clock } = cart;
  const cartId = person(ctx).identity.subject;
  const partition = partitionOfCart(cart, cartId);
  const token = tokenFor(ctx.consistency, cart, partition);
  if (token !== undefined) await waitForToken(view, token, { clock, budgetMs: waitMaxMs, signal: ctx.signal });
  return (await view.load(partition, [cartId])).carts.get(cartId)?.state ?? emptyCart(cartId);
}
