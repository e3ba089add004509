/**
 * The state of a cart, which is pure data, and the draft in which events change it: how commands arrive, live and die, whichever event causes
 * it. The id identifies a command; `origin` is the cart of the dot that named it. Which event does what, cart.ts says.
 */
import { uuidV7Milliseconds } from '@cloakroom/contracts';
import type { LineId } from './lines.ts';

/**
 * `<cart that it was made in>/<command id>`: events, `seen` and orders name a command by its dot. A client that repeats a command after it
 * signed in or out makes a second dot with the same id: an alias.
 */
export type Dot = string;
/** Within one cart the id alone identifies a command. So its aliases count once together, and a kill of one alias kills the command. */
export type CommandId = string;
export const dotOf = (cartId: string, commandId: string): Dot => `${cartId}/${commandId}`;
export const cartOfDot = (dot: Dot): string => dot.slice(0, dot.indexOf('/'));
export const commandOfDot = (dot: Dot): string => dot.slice(dot.indexOf('/') + 1);

/** Where a command may kill: in a line, by its id, or in a coupon, as `coupon:<code>`. No line id looks like a coupon. */
export type Scope = string;
const couponPrefix = 'coupon:';
export const couponScope = (code: string): Scope => `${couponPrefix}${code}`;
export const couponOfScope = (scope: Scope): string | undefined =>
  scope.startsWith(couponPrefix) ? scope.slice(couponPrefix.length) : undefined;

export interface Live {
  readonly line: LineId;
  readonly quantity: number;
  readonly kind: 'add' | 'set';
}

const isLarger = (one: Live, other: Live): boolean =>
  one.quantity === other.quantity ? one.kind > other.kind : one.quantity > other.quantity;

export type Origins = ReadonlyMap<CommandId, readonly string[]>;

/** An offset in the log of one region. A log that was replaced has another id, and its offsets say nothing about the new one. */
export interface LogOffset {
  readonly region: string;
  readonly logId: string;
  readonly offset: bigint;
}

export const offsetIn = (offsets: readonly LogOffset[] | undefined, log: Pick<LogOffset, 'region' | 'logId'>): bigint | undefined =>
  offsets?.find(({ region, logId }) => region === log.region && logId === log.logId)?.offset;

/** The furthest offset in each log, sorted. So the result does not depend on the order of the two lists. */
export function furthestOffsets(
  a: readonly LogOffset[] | undefined,
  b: readonly LogOffset[] | undefined,
): readonly LogOffset[] | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const further = b.filter((of) => of.offset > (offsetIn(a, of) ?? -1n));
  if (further.length === 0) return a;
  const kept = a.filter((of) => offsetIn(further, of) === undefined);
  return [...kept, ...further].sort((one, other) => (`${one.region} ${one.logId}` < `${other.region} ${other.logId}` ? -1 : 1));
}

export interface Joined {
  /** The offset, in the guest's partition, of the newest guest event that this cart holds. */
  readonly guestOffset: bigint;
  /** When this cart first held the guest's dots. */
  readonly atMs: number;
  /** The same in the log of each region. Absent in a shop of one region. */
  readonly guestOffsets?: readonly LogOffset[];
}

export interface CartState {
  readonly cartId: string;
  readonly dots: ReadonlyMap<CommandId, Live>;
  /** The code of each noted coupon: an observed-remove set. Orders decides at check-out which one counts. */
  readonly coupons: ReadonlyMap<CommandId, string>;
  /** When each was killed, in milliseconds since 1970. When several commands killed it, the latest time. */
  readonly dead: ReadonlyMap<CommandId, number>;
  /** For commands that have not arrived yet: the scopes in which each was killed, and when. A command that arrives in such a scope dies. */
  readonly doomed: ReadonlyMap<CommandId, ReadonlyMap<Scope, number>>;
  /** The carts in which each command was made, as far as events have named them, sorted. A command without an entry was made here alone. */
  readonly origins: Origins;
  readonly joined: ReadonlyMap<string, Joined>;
  /** The user's cart that this guest cart belongs to, once claimed. */
  readonly claimedBy: string | undefined;
}

export function emptyCart(cartId: string): CartState {
  const nothing = { dots: new Map(), coupons: new Map(), dead: new Map(), doomed: new Map(), origins: new Map(), joined: new Map() };
  return { cartId, ...nothing, claimedBy: undefined };
}

/**
 * The origin that names a command outside of its cart. It depends on the set of origins, never on their order of arrival. It is the cart
 * itself when that is one of them, because a cart always accepts its own dots. Otherwise it is the smallest.
 */
export function originIn({ cartId, origins }: Pick<CartState, 'cartId' | 'origins'>, id: CommandId): string {
  const its = origins.get(id);
  return its === undefined || its.includes(cartId) ? cartId : its[0]!;
}

export const dotIn = (of: Pick<CartState, 'cartId' | 'origins'>, id: CommandId): Dot => dotOf(originIn(of, id), id);

/**
 * The maps that one batch of events has made and no other code has seen. The batch may change them in place, so a cart with a long history
 * is copied once a batch and not once an event. The batch must drop the maps with all that it made when any step fails, and must make
 * these once more for the next batch.
 */
export class OwnMaps {
  readonly #made = new Set<unknown>();

  /** @returns the map itself when this batch made it, else a copy that this batch owns from now on */
  of<Key, Value>(map: ReadonlyMap<Key, Value>): Map<Key, Value> {
    if (this.#made.has(map)) return map as Map<Key, Value>;
    const copy = new Map(map);
    this.#made.add(copy);
    return copy;
  }
}

/** Copies a map at its first write only, because most repeated events write nothing. */
export class Draft {
  readonly #before: CartState;
  readonly #own: OwnMaps | undefined;
  #dots: Map<CommandId, Live> | undefined;
  #coupons: Map<CommandId, string> | undefined;
  #dead: Map<CommandId, number> | undefined;
  #doomed: Map<CommandId, ReadonlyMap<Scope, number>> | undefined;
  #origins: Map<CommandId, readonly string[]> | undefined;
  /** One array that all commands made in the same other cart share as their origins. */
  #alone: readonly string[] = [];

  /** @param own the maps that may be changed in place; without it `state` is left as it is */
  constructor(state: CartState, own?: OwnMaps) {
    this.#before = state;
    this.#own = own;
  }

  /** The larger of two payloads under one id in one line stands, whichever comes first. */
  live(id: CommandId, origin: string, live: Live): void {
    this.#name(id, origin);
    if (!this.#comes(id, live.line)) return;
    const known = this.#dotsNow().get(id);
    if (known !== undefined && !isLarger(live, known)) return;
    (this.#dots ??= this.#copyOf(this.#before.dots)).set(id, live);
  }

  note(id: CommandId, origin: string, code: string): void {
    this.#name(id, origin);
    if (!this.#comes(id, couponScope(code)) || this.#couponsNow().has(id)) return;
    (this.#coupons ??= this.#copyOf(this.#before.coupons)).set(id, code);
  }

  killAll(dots: readonly Dot[], atMs: number, scope: Scope | undefined): void {
    for (const dot of dots) this.kill(commandOfDot(dot), cartOfDot(dot), atMs, scope);
  }

  /**
   * @param scope limits the kill to commands in this line or coupon. When the command has not arrived yet, the cart remembers the scope. So
   * a removal of one line never kills a command of another line, whichever arrives first. Without a scope the command is dead at once.
   */
  kill(id: CommandId, origin: string, atMs: number, scope: Scope | undefined): void {
    this.#name(id, origin);
    const at = this.#scopeOf(id);
    if (at === undefined && scope !== undefined && !this.#deadNow().has(id)) this.#doom(id, scope, atMs);
    else if (at === undefined || scope === undefined || at === scope) this.#kill(id, atMs);
  }

  /** Skips commands that are not known here: those have no origins. */
  alsoMadeIn(origins: Origins): void {
    for (const [id, carts] of origins) if (this.#isKnown(id)) for (const cartId of carts) this.#name(id, cartId);
  }

  done(): CartState {
    if ((this.#dots ?? this.#coupons ?? this.#dead ?? this.#doomed ?? this.#origins) === undefined) return this.#before;
    return {
      ...this.#before,
      dots: this.#dotsNow(),
      coupons: this.#couponsNow(),
      dead: this.#deadNow(),
      doomed: this.#doomedNow(),
      origins: this.#originsNow(),
    };
  }

  /**
   * Each event that names a command adds an origin, even when it changes nothing else. So the set does not depend on the order of events.
   */
  #name(id: CommandId, origin: string): void {
    const { cartId } = this.#before;
    const known = this.#originsNow().get(id);
    // A command that only this cart has made needs no entry.
    if (known?.includes(origin) ?? origin === cartId) return;
    const others = known ?? (this.#isKnown(id) ? [cartId] : []);
    (this.#origins ??= this.#copyOf(this.#before.origins)).set(
      id,
      others.length === 0 ? this.#aloneIn(origin) : [...others, origin].sort(),
    );
  }

  #copyOf<Key, Value>(map: ReadonlyMap<Key, Value>): Map<Key, Value> {
    return this.#own === undefined ? new Map(map) : this.#own.of(map);
  }

  #isKnown(id: CommandId): boolean {
    return this.#dotsNow().has(id) || this.#deadNow().has(id) || this.#couponsNow().has(id) || this.#doomedNow().has(id);
  }

  #aloneIn(origin: string): readonly string[] {
    if (this.#alone[0] !== origin) this.#alone = [origin];
    return this.#alone;
  }

  #doom(id: CommandId, scope: Scope, atMs: number): void {
    const known = this.#doomedNow().get(id);
    if ((known?.get(scope) ?? -1) >= atMs) return;
    (this.#doomed ??= this.#copyOf(this.#before.doomed)).set(id, new Map(known).set(scope, atMs));
  }

  /** The later of two deaths counts, because it is forgotten later. */
  #kill(id: CommandId, atMs: number): void {
    if (this.#dotsNow().has(id)) (this.#dots ??= this.#copyOf(this.#before.dots)).delete(id);
    if (this.#couponsNow().has(id)) (this.#coupons ??= this.#copyOf(this.#before.coupons)).delete(id);
    const doomed = this.#doomedNow().get(id);
    const killedAtMs = doomed === undefined ? atMs : Math.max(atMs, ...doomed.values());
    this.#spare(id);
    if ((this.#deadNow().get(id) ?? -1) < killedAtMs) (this.#dead ??= this.#copyOf(this.#before.dead)).set(id, killedAtMs);
  }

  /** The command has arrived, so kills in other scopes no longer concern it. */
  #spare(id: CommandId): void {
    if (this.#doomedNow().has(id)) (this.#doomed ??= this.#copyOf(this.#before.doomed)).delete(id);
  }

  /**
   * An id that names two lines, or a line and a coupon, is no command: it dies. If one of the two stood, a kill that names the other would
   * have to be remembered, or its effect would depend on the order of arrival.
   * @returns whether the command, which has just arrived, stays alive
   */
  #comes(id: CommandId, scope: Scope): boolean {
    if (this.#deadNow().has(id)) return false;
    const at = this.#scopeOf(id);
    if (at !== undefined && at !== scope) this.#kill(id, uuidV7Milliseconds(id) ?? 0);
    if (at !== undefined) return at === scope;
    const killedAtMs = this.#doomedNow().get(id)?.get(scope);
    this.#spare(id);
    if (killedAtMs === undefined) return true;
    this.#kill(id, killedAtMs);
    return false;
  }

  #dotsNow(): CartState['dots'] {
    return this.#dots ?? this.#before.dots;
  }

  #couponsNow(): CartState['coupons'] {
    return this.#coupons ?? this.#before.coupons;
  }

  #deadNow(): CartState['dead'] {
    return this.#dead ?? this.#before.dead;
  }

  #doomedNow(): CartState['doomed'] {
    return this.#doomed ?? this.#before.doomed;
  }

  #originsNow(): Origins {
    return this.#origins ?? this.#before.origins;
  }

  #scopeOf(id: CommandId): Scope | undefined {
    const code = this.#couponsNow().get(id);
    return code === undefined ? this.#dotsNow().get(id)?.line : couponScope(code);
  }
}
