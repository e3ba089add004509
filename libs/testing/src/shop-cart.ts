/** Cart commands and reads as a device does them: with what it has seen, repeated under the same command id when no answer came. */
import { uuidV7 } from '@cloakroom/contracts';
import { commandsSeen, type Names } from './shop-dots.ts';
import type { ShopDevice, ShownLine, Told } from './shop-device.ts';
import type { ShopAnswer } from './shop-transport.ts';

/** Of one command; past it nobody knows whether it happened. */
const attemptMax = 3;
const retryMs = 100;

interface Command {
  readonly kind: 'add' | 'set' | 'remove' | 'clear' | 'apply-coupon' | 'remove-coupon';
  readonly method: string;
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly input: Readonly<Record<string, unknown>>;
  /** What it kills of. */
  readonly seen?: string;
}

/** @returns the last attempt */
async function send(device: ShopDevice, { kind, method, path, body, input, seen }: Command): Promise<Told> {
  const { names, time } = device.shared;
  const commandId = uuidV7(Math.floor(Date.now()), device.random.bytes(10));
  const name = device.nextCommandName();
  names.add(commandId, name);
  const session = device.session!;
  // A client that loses interest is one that leaves the outcome unknown for ever.
  const attempts = device.random.chance(0.7) ? attemptMax : 1;
  for (let attempt = 1; ; attempt++) {
    const told = await device.ask({
      kind,
      method,
      path,
      body: { commandId, ...body, ...(seen !== undefined && { seen }) },
      token: true,
      input: {
        commandId: name,
        attempt,
        session: session.id,
        cart: session.cart,
        ...input,
        ...(seen !== undefined && { observed: commandsSeen(seen)?.map((id) => names.of(id)) }),
      },
      output: ({ headers }) => ({ token: headers['consistency-token'] ?? '' }),
    });
    device.reached(told.answer, session.cart);
    if (told.operation.outcome !== 'unknown' || attempt >= attempts || device.session !== session) return told;
    await time.sleep(retryMs * attempt);
  }
}

export async function addLine(device: ShopDevice, productId: string, quantity: number): Promise<Told> {
  const before = device.lines.get(productId);
  // Only makes the answer's `seen` complete: an add kills nothing.
  const body = { productId, quantity, ...(before !== undefined && { seen: before.seen }) };
  const told = await send(device, { kind: 'add', method: 'POST', path: '/api/cart/lines', body, input: { productId, quantity } });
  const answered = told.answer.body as { lineId: string; seen: string } | undefined;
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
    device.lines.set(productId, { ...line, quantity, seen: (told.answer.body as { seen: string }).seen });
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

export const removeCoupon = (device: ShopDevice, { code, seen }: ShopDevice['coupons'][number]): Promise<Told> =>
  send(device, { kind: 'remove-coupon', method: 'DELETE', path: `/api/cart/coupons/${code}`, body: {}, seen, input: { code } });

export interface ReadAs {
  readonly token: boolean;
  readonly gateway?: string;
  /** After everything was mended: what it shows should be the end of it. */
  readonly final?: boolean;
  /** The command that it waits to be shown. */
  readonly looksFor?: string;
}

/** What it shows becomes what the device has seen. */
export async function readCart(device: ShopDevice, { token, gateway, final, looksFor }: ReadAs): Promise<Told> {
  const { session, position } = device;
  const told = await device.ask({
    kind: 'read',
    method: 'GET',
    path: '/api/cart',
    token,
    ...(gateway !== undefined && { gateway }),
    input: {
      ...(session !== undefined && { session: session.id, cart: session.cart }),
      ...(token && position !== undefined && { token: position.token, tokenCart: position.cart }),
      ...(final === true && { final }),
      ...(looksFor !== undefined && { looksFor }),
    },
    output: (answer) => readOutput(answer, device.shared.names),
  });
  const cart = told.answer.body as CartBody | undefined;
  if (told.operation.outcome === 'ok' && session !== undefined && device.session === session) device.reached(told.answer, session.cart);
  // One that is behind would take back what this device knows already.
  if (told.operation.outcome === 'ok' && cart !== undefined && !cart.stale && device.session === session) {
    device.lines = new Map(cart.lines.map((line) => [line.productId, line]));
    device.seen = cart.seen;
    device.coupons = cart.coupons ?? [];
  }
  return told;
}

interface CartBody {
  readonly cartId: string;
  readonly lines: readonly ShownLine[];
  readonly seen: string;
  readonly stale: boolean;
  readonly incomplete: boolean;
  readonly behind?: number;
  readonly merge?: { readonly state: string };
  readonly coupons?: readonly { readonly code: string; readonly seen: string }[];
}

/** `dots` are missing where `seen` is not one that we can read. */
export function readOutput(answer: ShopAnswer, names: Names): Record<string, unknown> {
  const cart = answer.body as CartBody;
  const dotsOf = (seen: string): string[] | undefined => commandsSeen(seen)?.map((id) => names.of(id));
  return {
    reached: answer.headers['consistency-token'] ?? '',
    cartId: cart.cartId,
    lines: cart.lines.map(({ productId, quantity, seen }) => ({ productId, quantity, dots: dotsOf(seen) })),
    dots: dotsOf(cart.seen),
    coupons: (cart.coupons ?? []).map(({ code }) => code),
    stale: cart.stale,
    incomplete: cart.incomplete,
    behind: cart.behind ?? 0,
    merge: cart.merge?.state ?? 'none',
  };
}
