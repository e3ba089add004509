/** How dots come, live and die, whatever event says so. */
import { couponScope, type CartState, type Dot, type Live, type Scope } from './cart.state.ts';

/** Copies on the first write only: most repeated events write nothing. */
export class Draft {
  readonly #before: CartState;
  #dots: Map<Dot, Live> | undefined;
  #coupons: Map<Dot, string> | undefined;
  #dead: Map<Dot, number> | undefined;
  #doomed: Map<Dot, ReadonlyMap<Scope, number>> | undefined;

  constructor(state: CartState) {
    this.#before = state;
  }

  live(dot: Dot, live: Live): void {
    if (!this.#comes(dot, live.line)) return;
    (this.#dots ??= new Map(this.#before.dots)).set(dot, live);
  }

  note(dot: Dot, code: string): void {
    if (!this.#comes(dot, couponScope(code))) return;
    (this.#coupons ??= new Map(this.#before.coupons)).set(dot, code);
  }

  /**
   * @param scope kills nothing that is elsewhere. A dot that is not known yet is remembered with the scope, so that a removal of one line never
   * takes a dot of another, whichever comes first; without a scope it is dead at once.
   */
  kill(dots: readonly Dot[], atMs: number, scope: Scope | undefined): void {
    for (const dot of dots) {
      const at = this.#scopeOf(dot);
      if (at === undefined && scope !== undefined && !this.#deadNow().has(dot)) this.#doom(dot, scope, atMs);
      else if (at === undefined || scope === undefined || at === scope) this.#bury(dot, atMs);
    }
  }

  done(): CartState {
    if ((this.#dots ?? this.#coupons ?? this.#dead ?? this.#doomed) === undefined) return this.#before;
    return { ...this.#before, dots: this.#dotsNow(), coupons: this.#couponsNow(), dead: this.#deadNow(), doomed: this.#doomedNow() };
  }

  #doom(dot: Dot, scope: Scope, atMs: number): void {
    const known = this.#doomedNow().get(dot);
    if ((known?.get(scope) ?? -1) >= atMs) return;
    (this.#doomed ??= new Map(this.#before.doomed)).set(dot, new Map(known).set(scope, atMs));
  }

  /** The later of two deaths counts: it is forgotten later. */
  #bury(dot: Dot, atMs: number): void {
    if (this.#dotsNow().has(dot)) (this.#dots ??= new Map(this.#before.dots)).delete(dot);
    if (this.#couponsNow().has(dot)) (this.#coupons ??= new Map(this.#before.coupons)).delete(dot);
    const killedAtMs = Math.max(atMs, ...(this.#doomedNow().get(dot)?.values() ?? []));
    this.#spare(dot);
    if ((this.#deadNow().get(dot) ?? -1) < killedAtMs) (this.#dead ??= new Map(this.#before.dead)).set(dot, killedAtMs);
  }

  /** It has come: whatever it was threatened with elsewhere is void. */
  #spare(dot: Dot): void {
    if (this.#doomedNow().has(dot)) (this.#doomed ??= new Map(this.#before.doomed)).delete(dot);
  }

  /** @returns whether the dot, now that it has come, stays */
  #comes(dot: Dot, scope: Scope): boolean {
    if (this.#deadNow().has(dot) || this.#scopeOf(dot) !== undefined) return false;
    const killedAtMs = this.#doomedNow().get(dot)?.get(scope);
    this.#spare(dot);
    if (killedAtMs === undefined) return true;
    this.#bury(dot, killedAtMs);
    return false;
  }

  #dotsNow(): ReadonlyMap<Dot, Live> {
    return this.#dots ?? this.#before.dots;
  }

  #couponsNow(): ReadonlyMap<Dot, string> {
    return this.#coupons ?? this.#before.coupons;
  }

  #deadNow(): ReadonlyMap<Dot, number> {
    return this.#dead ?? this.#before.dead;
  }

  #doomedNow(): CartState['doomed'] {
    return this.#doomed ?? this.#before.doomed;
  }

  #scopeOf(dot: Dot): Scope | undefined {
    const code = this.#couponsNow().get(dot);
    return code === undefined ? this.#dotsNow().get(dot)?.line : couponScope(code);
  }
}
