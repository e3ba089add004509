/** The terms that the checker's parts share: commands, kills, reads, orders. */
import type { History, Operation } from './history.ts';

export type Certainty = 'yes' | 'maybe' | 'no';

export interface Command {
  readonly name: string;
  readonly kind: string;
  /** The owner of the command: for a guest's command, the user who signed in. */
  readonly person: string;
  /** The carts that it was sent to, first to last: `guest:d2#3`, `user:p1`. More than one when it was repeated after a sign-in. */
  readonly carts: readonly string[];
  /** The carts among them that showed it. */
  readonly shown: ReadonlySet<string>;
  readonly client: string;
  readonly productId: string | undefined;
  readonly quantity: number;
  readonly certainty: Certainty;
  readonly invokedAtMs: number;
  /** The time of the first good answer; infinite where there is none. */
  readonly ackedAtMs: number;
  readonly attempts: readonly Operation[];
}

/** A removal, a set, a clearing or an order. It can kill only dots that its sender had seen. */
export interface Kill {
  readonly name: string;
  readonly observed: ReadonlySet<string>;
  /** Limits the kill to this product's line. */
  readonly productId: string | undefined;
  readonly certainty: Certainty;
  readonly client: string;
  /** The cart that it was sent to. A command that was sent to two carts is two kills. */
  readonly cart: string;
  readonly invokedAtMs: number;
  readonly ackedAtMs: number;
  readonly operations: readonly number[];
  readonly byOrder: boolean;
}

export interface ShownLine {
  readonly productId: string;
  readonly quantity: number;
  readonly dots: readonly string[] | undefined;
}

export interface Read {
  readonly operation: Operation;
  readonly cart: string;
  readonly cartId: string;
  readonly lines: readonly ShownLine[];
  readonly dots: ReadonlySet<string> | undefined;
  readonly stale: boolean;
  readonly incomplete: boolean;
  readonly merge: string;
  readonly final: boolean;
  readonly atMs: number;
}

/** A guest's cart at the time of a sign-in. */
export interface Claim {
  readonly guestCart: string;
  readonly person: string;
  readonly session: string;
  readonly certainty: Certainty;
  readonly operation: Operation;
}

export interface Facts {
  readonly history: History;
  readonly commands: ReadonlyMap<string, Command>;
  /** Commands by the cart that they were sent to, each as that cart knows it. */
  readonly commandsOfCart: ReadonlyMap<string, readonly Command[]>;
  readonly killsOf: ReadonlyMap<string, readonly Kill[]>;
  readonly kills: readonly Kill[];
  readonly reads: readonly Read[];
  readonly claims: ReadonlyMap<string, Claim>;
  readonly claimOfSession: ReadonlyMap<string, Claim>;
  readonly orders: readonly Order[];
}

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
export const numberOf = (value: unknown): number => (typeof value === 'number' ? value : 0);
export const namesOf = (value: unknown): string[] | undefined => (Array.isArray(value) ? value.map(textOf) : undefined);

export interface Told {
  readonly orderId: string;
  readonly status: string;
  readonly lines: readonly { readonly productId: string; readonly quantity: number; readonly unitPrice: number }[];
  readonly subtotal: number;
  readonly discount: number;
  readonly total: number;
  readonly steps?: readonly string[];
  /** The coupon that counted. */
  readonly coupon?: string;
}

export interface Order {
  readonly key: string;
  readonly person: string;
  /** The dots of the cart as the person had seen it. The cart lets go of all of them, also of coupons that did not count. */
  readonly observed: readonly string[];
  readonly attempts: readonly Operation[];
  /** Everything that any answer said about the order, in order of time. */
  readonly told: readonly (Told & { readonly operation: number })[];
  readonly certainty: Certainty;
}

/** `max(sets) + sum(adds)` for each product; lines of quantity 0 are not shown. */
export function quantitiesOf(dots: Iterable<string>, commands: ReadonlyMap<string, Command>): Map<string, number> {
  const sets = new Map<string, number>();
  const added = new Map<string, number>();
  for (const dot of dots) {
    const command = commands.get(dot);
    if (command?.productId === undefined) continue;
    const { productId, quantity } = command;
    if (command.kind === 'set') sets.set(productId, Math.max(sets.get(productId) ?? 0, quantity));
    else added.set(productId, (added.get(productId) ?? 0) + quantity);
  }
  const sums = new Map(added);
  for (const [productId, quantity] of sets) sums.set(productId, (added.get(productId) ?? 0) + quantity);
  return new Map([...sums].filter(([, quantity]) => quantity > 0));
}

/**
 * Positions are `region:partition:offset`, or one for each region with commas between them. The result is true when `token` has a position
 * in each log of `other`, in the same partition, and at least as far.
 */
export function covers(token: string, other: string): boolean {
  const [here, there] = [token, other].map((text) => text.split(',').map((one) => /^(.*):(\d+)$/.exec(one)));
  return there!.every((far) => here!.some((one) => one !== null && one[1] === far?.[1] && BigInt(one[2]!) >= BigInt(far![2]!)));
}
