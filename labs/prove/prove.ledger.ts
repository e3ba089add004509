/**
 * The expected result, stated without the proven code. Every acknowledged command lives, once, in the cart of the person that gave it. Two things end
 * it: a person that saw it removed it, or an order took it. A command is its id and a person, whichever of that person's carts took it, and however
 * often. The ledger knows no events, no order of arrival and no crashes.
 */
import { commandOf } from './prove.history.ts';
import { guests, type Sent } from './prove.world.ts';
import { cartOfDot, type Dot } from '../../apps/cart/src/model/cart.ts';

interface Made {
  readonly cartId: string;
  readonly command: string;
  readonly scope: string;
  readonly quantity: number;
  readonly kind: 'add' | 'set' | 'coupon';
}

export class Ledger {
  readonly #made: Made[] = [];
  readonly #kills: { readonly cartId: string; readonly dots: readonly Dot[] }[] = [];
  readonly #claims = new Map<string, string>();
  /** The commands ordered, by buyer. */
  readonly #ordered = new Map<string, Set<string>>();

  acknowledged({ cartId, commandId, command, seen }: Sent): void {
    const common = { cartId, command: commandId };
    if (command.kind === 'add' || command.kind === 'set')
      this.#made.push({ ...common, scope: command.line, quantity: command.quantity, kind: command.kind });
    if (command.kind === 'coupon') this.#made.push({ ...common, scope: command.code, quantity: 0, kind: 'coupon' });
    if (command.kind !== 'add' && command.kind !== 'coupon') this.#kills.push({ cartId, dots: seen });
  }

  /** The first claim of a guest's cart is the only one that counts. */
  claimed(guestCartId: string, userCartId: string): void {
    if (!this.#claims.has(guestCartId)) this.#claims.set(guestCartId, userCartId);
  }

  claimOf = (guestCartId: string): string | undefined => this.#claims.get(guestCartId);

  /** Behaves as the database of orders, where a command is unique for each buyer. @returns whether the order stands */
  order(buyer: string, dots: readonly Dot[]): boolean {
    const before = this.#ordered.get(buyer) ?? new Set();
    const commands = new Set(dots.map(commandOf));
    if (commands.size === 0 || [...commands].some((command) => before.has(command))) return false;
    this.#ordered.set(buyer, new Set([...before, ...commands]));
    return true;
  }

  /** @param living the ids of the commands that live there @returns the fault of this cart, or undefined */
  faultOf(cartId: string, living: ReadonlySet<string>): string | undefined {
    const carts = this.#cartsOf(cartId);
    const kills = this.#kills.filter((kill) => carts.has(kill.cartId)).flatMap(({ dots }) => dots);
    const removed = new Set(kills.flatMap((dot) => (carts.has(cartOfDot(dot)) ? [commandOf(dot)] : [])));
    // The person saw these dots in the cart of a guest that turned out to be another's. The cart may or may not have accepted the removal.
    const doubtful = new Set(kills.map(commandOf));
    // A guest's cart does not hear of orders. Its user's cart does.
    const ordered = guests.some((guest) => guest === cartId) ? undefined : this.#ordered.get(cartId);
    for (const { cartId: madeIn, command, kind, scope } of this.#made) {
      const lives = living.has(command);
      const name = `${kind} of ${scope}`;
      if (!carts.has(madeIn)) {
        if (lives && !this.#madeOf(cartId).has(command)) return `${name} is in a cart that is not its owner's`;
      } else if (removed.has(command) || ordered?.has(command) === true) {
        if (lives) return `${name} was ${removed.has(command) ? 'removed' : 'ordered'} and is back`;
      } else if (!lives && !doubtful.has(command)) return `${name} was acknowledged and is lost`;
    }
    return [...living].every((command) => this.#madeOf(cartId).has(command)) ? undefined : 'a command lives that nobody gave';
  }

  /** The quantities of these commands of a cart, each counted once. By line: the larger of the sets and the sum of the adds. */
  quantitiesOf(cartId: string, commands: Iterable<string>): Record<string, number> {
    const made = this.#madeOf(cartId);
    const lines = new Map<string, { set: number; added: number }>();
    for (const command of new Set(commands)) {
      const { scope, quantity, kind } = made.get(command)!;
      if (kind === 'coupon') continue;
      const line = lines.get(scope) ?? { set: 0, added: 0 };
      if (kind === 'add') line.added += quantity;
      else line.set = Math.max(line.set, quantity);
      lines.set(scope, line);
    }
    const sums = [...lines].map(([line, { set, added }]) => [line, set + added] as const);
    return Object.fromEntries(sums.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** A cart, and the guests' carts that it has claimed. */
  #cartsOf(cartId: string): ReadonlySet<string> {
    return new Set([cartId, ...guests.filter((guest) => this.#claims.get(guest) === cartId)]);
  }

  #madeOf(cartId: string): ReadonlyMap<string, Made> {
    const carts = this.#cartsOf(cartId);
    return new Map(this.#made.flatMap((made) => (carts.has(made.cartId) ? [[made.command, made] as const] : [])));
  }
}
