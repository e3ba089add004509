/**
 * Cart commands and reads as a device does them. It sends what it has seen, and repeats a command under the same id when no answer came.
 */
import { uuidV7 } from '@cloakroom/contracts';
import type { Cart, CartCoupon, CommandAccepted, LineAccepted } from '@cloakroom/contracts/http';
import { commandsSeen, type Names } from './shop-dots.ts';
import type { Asked, ShopCommand, ShopDevice, ShownLine, Told } from './shop-device.ts';
import type { ShopAnswer } from './shop-transport.ts';

/** Attempts of one command, without a pause. A command that is still unknown then is sent again later. */
const attemptMax = 3;
const retryMs = 100;

interface Wish extends ShopCommand {
  /** The `seen` that the command may kill. */
  readonly seen?: string;
}

/** Commands that a device keeps to send again. A person with more unanswered commands has given up. */
const pendingMax = 3;
/** A page has no reason to repeat an answered command, but a proxy between page and shop may do so. */
const needlessShare = 0.08;

/** @returns the last attempt */
async function send(device: ShopDevice, { seen, ...wish }: Wish): Promise<Told> {
  const { names, time, lossShare = 0 } = device.shared;
  const commandId = uuidV7(Math.floor(Date.now()), device.random.bytes(10));
  const name = device.nextCommandName();
  names.add(commandId, name);
  const observed = seen === undefined ? {} : { observed: commandsSeen(seen)?.map((id) => names.of(id)) };
  const command: ShopCommand = {
    ...wish,
    body: { commandId, ...wish.body, ...(seen !== undefined && { seen }) },
    input: { commandId: name, ...wish.input, ...observed },
  };
  const session = device.session!;
  const person = device.person.name;
  // A client that loses interest for now makes one attempt.
  const attempts = device.random.chance(0.7) ? attemptMax : 1;
  for (let attempt = 1; ; attempt++) {
    const told = await attemptOf(device, command, attempt, device.random.chance(lossShare) ? lossOf(device) : {});
    const { outcome, gateway } = told.operation;
    if (outcome === 'unknown' && attempt < attempts && device.session === session) {
      await time.sleep(retryMs * attempt);
      continue;
    }
    const needless = lossShare > 0 && outcome === 'ok' && device.random.chance(needlessShare);
    if (outcome === 'unknown' || needless)
      device.pending = [...device.pending, { command, session, person, attempts: attempt, gateway }].slice(-pendingMax);
    return told;
  }
}

/** The connection is cut in the middle, or the answer is lost on its way back. */
const lossOf = ({ random }: ShopDevice): Pick<Asked, 'loses'> => ({
  loses: random.chance(0.5) ? 'answer' : { cutAfterMs: random.below(cutWithinMs) },
});
/** About the time that a command takes on an idle machine. */
const cutWithinMs = 20;

async function attemptOf(device: ShopDevice, command: ShopCommand, attempt: number, how: Pick<Asked, 'loses' | 'gateway'>): Promise<Told> {
  const { kind, method, path, body, input } = command;
  const session = device.session!;
  const told = await device.ask({
    kind,
    method,
    path,
    body,
    token: true,
    loses: how.loses,
    gateway: how.gateway ?? device.random.pick(device.shared.gateways),
    input: { ...input, attempt, session: session.id, cart: session.cart },
    output: ({ headers }) => ({ token: headers['consistency-token'] ?? '' }),
  });
  device.reached(told.answer, session.cart, told.operation.gateway);
  return told;
}

/**
 * Repeats as a page does: the same request with the same id. The sender is the same guest, or the user that this guest has become, and
 * never another person. It may use another gateway, where there is one.
 */
export async function repeatPending(device: ShopDevice): Promise<void> {
  const [first, ...later] = device.pending;
  const { session } = device;
  if (first === undefined || session === undefined) return;
  device.pending = later;
  const before = first.session;
  const became = session.kind === 'user' && device.became.get(before.id) === device.person.name;
  if (before.cart !== session.cart && !became) return;
  const attempts = first.attempts + 1;
  const others = device.shared.gateways.filter((one) => one !== first.gateway);
  const gateway = others.length === 0 ? first.gateway : device.random.pick(others);
  const { operation } = await attemptOf(device, first.command, attempts, { gateway });
  if (operation.outcome === 'unknown' && attempts < repeatMax)
    device.pending = [{ ...first, session: device.session ?? before, attempts, gateway }, ...device.pending].slice(0, pendingMax);
}
/** After so many attempts the outcome stays unknown. */
const repeatMax = 6;

/**
 * Sends an add that another person gave on this device before, as no page does. The id is then this
 * person's too, and the command is theirs.
 */
export async function copyLeftBehind(device: ShopDevice): Promise<void> {
  const [first, ...others] = device.leftBehind;
  device.leftBehind = others;
  if (first === undefined || device.session?.kind !== 'user' || first.person === device.person.name) return;
  await attemptOf(device, first.command, first.attempts + 1, {});
}

export async function addLine(device: ShopDevice, productId: string, quantity: number): Promise<Told> {
  const before = device.lines.get(productId);
  // It only makes the answer's `seen` complete: an add kills nothing.
  const body = { productId, quantity, ...(before !== undefined && { seen: before.seen }) };
  const told = await send(device, { kind: 'add', method: 'POST', path: '/api/cart/lines', body, input: { productId, quantity } });
  const answered = told.answer.body as LineAccepted | undefined;
  if (told.operation.outcome === 'ok' && answered !== undefined) {
    device.lines.set(productId, { productId, lineId: answered.lineId, quantity: (before?.quantity ?? 0) + quantity, seen: answered.seen });
  }
  return told;
}

export async function setLine(device: ShopDevice, line: ShownLine, quantity: number): Promise<Told> {
  const { lineId, productId, seen } = line;
  const path = `/api/cart/lines/${encodeURIComponent(lineId)}`;
  const told = await send(device, { kind: 'set', method: 'PUT', path, body: { quantity }, seen, input: { productId, quantity } });
  if (told.operation.outcome === 'ok') {
    device.lines.set(productId, { ...line, quantity, seen: (told.answer.body as CommandAccepted).seen });
  }
  return told;
}

export async function removeLine(device: ShopDevice, { lineId, productId, seen }: ShownLine): Promise<Told> {
  const path = `/api/cart/lines/${encodeURIComponent(lineId)}`;
  const told = await send(device, { kind: 'remove', method: 'DELETE', path, body: {}, seen, input: { productId } });
  if (told.operation.outcome === 'ok') device.lines.delete(productId);
  return told;
}

export async function clearCart(device: ShopDevice): Promise<Told> {
  const told = await send(device, { kind: 'clear', method: 'DELETE', path: '/api/cart', body: {}, seen: device.seen, input: {} });
  if (told.operation.outcome === 'ok') device.lines.clear();
  return told;
}

export const applyCoupon = (device: ShopDevice, code: string): Promise<Told> =>
  send(device, { kind: 'apply-coupon', method: 'PUT', path: `/api/cart/coupons/${code}`, body: {}, input: { code } });

export const removeCoupon = (device: ShopDevice, { code, seen }: CartCoupon): Promise<Told> =>
  send(device, { kind: 'remove-coupon', method: 'DELETE', path: `/api/cart/coupons/${code}`, body: {}, seen, input: { code } });

export interface ReadAs {
  readonly token: boolean;
  readonly gateway?: string;
  /** A read after everything was mended: it should show the final state. */
  readonly final?: boolean;
  /** The command that the reader waits for. */
  readonly looksFor?: string;
}

/** The content of the read becomes what the device has seen. */
export async function readCart(device: ShopDevice, { token, gateway, final, looksFor }: ReadAs): Promise<Told> {
  const { session } = device;
  const asked = gateway ?? device.random.pick(device.shared.gateways);
  const position = device.positionAt(asked);
  const told = await device.ask({
    kind: 'read',
    method: 'GET',
    path: '/api/cart',
    token,
    gateway: asked,
    input: {
      ...(session !== undefined && { session: session.id, cart: session.cart }),
      ...(token && position !== undefined && { token: position.token, tokenCart: position.cart }),
      ...(final === true && { final }),
      ...(looksFor !== undefined && { looksFor }),
    },
    output: (answer) => readOutput(answer, device.shared.names),
  });
  const cart = told.answer.body as Cart | undefined;
  if (told.operation.outcome === 'ok' && session !== undefined && device.session === session)
    device.reached(told.answer, session.cart, asked);
  // An answer that is behind would undo what this device knows already.
  if (told.operation.outcome === 'ok' && cart !== undefined && !cart.stale && device.session === session) {
    device.lines = new Map(cart.lines.map((line) => [line.productId, line]));
    device.seen = cart.seen;
    device.coupons = cart.coupons;
  }
  return told;
}

/** `dots` is missing where `seen` is not of the kind that we can read. */
export function readOutput(answer: ShopAnswer, names: Names): Record<string, unknown> {
  const cart = answer.body as Cart;
  const dotsOf = (seen: string): string[] | undefined => commandsSeen(seen)?.map((id) => names.of(id));
  return {
    reached: answer.headers['consistency-token'] ?? '',
    cartId: cart.cartId,
    lines: cart.lines.map(({ productId, quantity, seen }) => ({ productId, quantity, dots: dotsOf(seen) })),
    dots: dotsOf(cart.seen),
    coupons: cart.coupons.map(({ code }) => code),
    stale: cart.stale,
    incomplete: cart.incomplete,
    behind: cart.behind,
    merge: cart.merge.state,
  };
}
