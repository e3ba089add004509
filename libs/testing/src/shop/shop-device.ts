/**
 * One device of a person: a cookie jar, the cart as it was last seen, and a record of every call. Other files hold its
 * actions: sessions, carts, orders (shop-*.ts).
 */
import type { CartCoupon, CartLine, Problem } from '@cloakroom/contracts/http';
import type { Operation, OperationKind, Outcome, Recorder } from '../history/history.ts';
import { covers } from '../history/history.terms.ts';
import type { Names } from './shop-dots.ts';
import type { Choices } from './shop-random.ts';
import type { ShopAnswer, ShopCall, ShopTime, ShopTransport } from './shop-transport.ts';

export interface ShopPerson {
  readonly name: string;
  readonly email: string;
  readonly password: string;
  /** The products that this person buys. Other persons do not buy them, except the `scarce` ones. */
  readonly products: readonly string[];
  /** The gateway of the region where the account lives; undefined where all gateways are of one region. */
  readonly home?: string | undefined;
  addressId?: string;
}

export interface ShopSession {
  /** Names one cookie: `d2#3`. */
  readonly id: string;
  readonly kind: 'guest' | 'user';
  /** Names the cart: `guest:d2#3`, `user:p1`. */
  readonly cart: string;
  /** The gateway of the region where the session lives; undefined where all gateways are of one region. */
  readonly home?: string | undefined;
}

/** A command of a cart, with all that is needed to send it again. */
export interface ShopCommand {
  readonly kind: 'add' | 'set' | 'remove' | 'clear' | 'apply-coupon' | 'remove-coupon';
  readonly method: string;
  readonly path: string;
  /** Includes the command id. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly input: Readonly<Record<string, unknown>>;
}

/** A command that must be sent again, or that its person once gave. */
export interface PendingCommand {
  readonly command: ShopCommand;
  readonly session: ShopSession;
  readonly person: string;
  readonly attempts: number;
  readonly gateway: string;
}

export interface EndedSession {
  readonly session: ShopSession;
  readonly person: string;
  readonly cookies: string;
}

export type ShownLine = Pick<CartLine, 'lineId' | 'productId' | 'quantity' | 'seen'>;

export interface Shared {
  readonly gateways: readonly string[];
  readonly transport: ShopTransport;
  readonly time: ShopTime;
  readonly recorder: Recorder;
  readonly names: Names;
  /** The share of commands whose answer the client loses; 0 by default. */
  readonly lossShare?: number;
  /** Given where each gateway is a region of its own. */
  readonly regions?: Regions | undefined;
}

export interface Regions {
  /** In the order of the gateways. */
  readonly names: readonly string[];
}

export interface Asked {
  readonly kind: OperationKind;
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly input: Readonly<Record<string, unknown>>;
  readonly gateway?: string;
  /** Replace the device's own cookies. */
  readonly cookies?: string;
  /** True sends the newest Consistency-Token. */
  readonly token?: boolean;
  readonly loses?: ShopCall['loses'];
  /** Picks the part of a good answer that is written down. */
  readonly output?: (answer: ShopAnswer) => Record<string, unknown>;
  readonly person?: string;
}

export interface Told {
  readonly answer: ShopAnswer;
  readonly operation: Operation;
}

const sessionCookies = ['__Host-session', '__Host-access', '__Host-refresh'];

export class ShopDevice {
  readonly name: string;
  readonly from: string;
  readonly shared: Shared;
  readonly random: Choices;
  person: ShopPerson;
  session: ShopSession | undefined;
  /** The furthest position that an answer of each region told this device, and the cart that it belongs to. */
  readonly #positions = new Map<string, { readonly token: string; readonly cart: string }>();
  /** Lines by product. */
  lines = new Map<string, ShownLine>();
  /** The `seen` of the cart. */
  seen = '';
  coupons: readonly CartCoupon[] = [];
  readonly ended: EndedSession[] = [];
  /** Commands whose outcome this device does not know, oldest first. */
  pending: PendingCommand[] = [];
  /** Commands that another person gave on this device before. No page sends them again. */
  leftBehind: PendingCommand[] = [];
  /** The users that guests of this device became, by session. */
  readonly became = new Map<string, string>();
  readonly #jar = new Map<string, string>();
  #commands = 0;
  #sessions = 0;

  constructor(name: string, from: string, person: ShopPerson, random: Choices, shared: Shared) {
    this.name = name;
    this.from = from;
    this.person = person;
    this.random = random;
    this.shared = shared;
  }

  nextSessionId(): string {
    return `${this.name}#${++this.#sessions}`;
  }

  nextCommandName(): string {
    return `${this.name}.${++this.#commands}`;
  }

  cookies(): string {
    return [...this.#jar].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  /** Everything that the device had seen belonged to that session's cart. */
  forgetSession(): void {
    for (const name of sessionCookies) this.#jar.delete(name);
    this.session = undefined;
    this.#positions.clear();
    this.forgetCart();
  }

  forgetCart(): void {
    this.lines = new Map();
    this.seen = '';
    this.coupons = [];
  }

  /** Notes the position of an answer about the cart. Answers come in any order, and one without a position may be behind. */
  reached({ headers }: ShopAnswer, cart: string, gateway: string): void {
    const token = String(headers['consistency-token'] ?? '');
    const known = this.positionAt(gateway);
    if (token !== '' && (known?.cart !== cart || covers(token, known.token))) this.#positions.set(this.#regionOf(gateway), { token, cart });
  }

  positionAt(gateway: string): { readonly token: string; readonly cart: string } | undefined {
    return this.#positions.get(this.#regionOf(gateway));
  }

  #regionOf(gateway: string): string {
    return this.shared.regions === undefined ? 'the only one' : gateway;
  }

  /** Always ends the recorded operation. A device that is told that its session has ended believes it. */
  async ask(asked: Asked): Promise<Told> {
    const gateway = asked.gateway ?? this.random.pick(this.shared.gateways);
    const shownCookies = asked.cookies ?? this.cookies();
    const position = asked.token === true ? this.positionAt(gateway) : undefined;
    const end = this.shared.recorder.invoke({
      client: this.name,
      person: asked.person ?? this.person.name,
      kind: asked.kind,
      gateway,
      input: asked.input,
    });
    const answer = await this.shared.transport.call({
      gateway,
      method: asked.method,
      path: asked.path,
      body: asked.body,
      from: this.from,
      loses: asked.loses,
      headers: {
        ...(shownCookies !== '' && { cookie: shownCookies }),
        ...(position !== undefined && { 'consistency-token': position.token }),
        ...asked.headers,
      },
    });
    const outcome = outcomeOf(answer, asked.kind);
    const error = outcome === 'ok' ? undefined : errorOf(answer);
    const output = outcome === 'ok' ? asked.output?.(answer) : undefined;
    const operation = end({ outcome, ...(output !== undefined && { output }), ...(error !== undefined && { error }) });
    if (asked.cookies === undefined) {
      this.#take(answer);
      if (error === 'session_ended') this.forgetSession();
    }
    return { answer, operation };
  }

  #take(answer: ShopAnswer): void {
    for (const line of answer.headers['set-cookie'] ?? []) {
      const pair = line.split(';', 1)[0]!;
      const at = pair.indexOf('=');
      const [name, value] = [pair.slice(0, at), pair.slice(at + 1)];
      // The jar leaves this cookie out: a device sends its position as a header, and only where the history says so.
      if (name === 'consistency') continue;
      if (value === '' || /; *max-age=0/i.test(line)) this.#jar.delete(name);
      else this.#jar.set(name, value);
    }
  }
}

/** For these codes a 503 means that nothing was done. Any other 503 may come from behind the part that did the work. */
const refusedBeforeItHappened: readonly string[] = ['unavailable', 'identity_unavailable', 'home_region_unreachable'];
const reachesOnlyCart: readonly OperationKind[] = ['add', 'set', 'remove', 'clear', 'apply-coupon', 'remove-coupon', 'use-ended-session'];

export function outcomeOf(answer: ShopAnswer, kind: OperationKind): Outcome {
  if (answer.status >= 200 && answer.status < 300) return 'ok';
  if (answer.status === 0) return answer.error === 'ECONNREFUSED' ? 'failed' : 'unknown';
  if (answer.status < 500) return 'failed';
  return reachesOnlyCart.includes(kind) && refusedBeforeItHappened.includes(errorOf(answer)) ? 'failed' : 'unknown';
}

export function errorOf(answer: ShopAnswer): string {
  const code: unknown = (answer.body as Partial<Problem> | undefined)?.code;
  return typeof code === 'string' ? code : (answer.error ?? String(answer.status));
}
