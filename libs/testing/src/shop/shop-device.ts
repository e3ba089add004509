/** One device of a person: a cookie jar, what it has seen, and every call written down. What it does is elsewhere: sessions, carts, orders (shop-*.ts). */
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
  /** What this person buys; nobody else but for `scarce` ones. */
  readonly products: readonly string[];
  addressId?: string;
}

export interface ShopSession {
  /** Of one cookie: `d2#3`. */
  readonly id: string;
  readonly kind: 'guest' | 'user';
  /** Names the cart: `guest:d2#3`, `user:p1`. */
  readonly cart: string;
}

/** A command of a cart, as it is sent and sent again. */
export interface ShopCommand {
  readonly kind: 'add' | 'set' | 'remove' | 'clear' | 'apply-coupon' | 'remove-coupon';
  readonly method: string;
  readonly path: string;
  /** With the command id. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly input: Readonly<Record<string, unknown>>;
}

/** One that has to be sent again, or that its person once gave. */
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
  /** The share of commands whose answer the client loses; none unless told. */
  readonly lossShare?: number;
}

export interface Asked {
  readonly kind: OperationKind;
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly input: Readonly<Record<string, unknown>>;
  readonly gateway?: string;
  /** Instead of the device's own. */
  readonly cookies?: string;
  /** Sends the newest Consistency-Token. */
  readonly token?: boolean;
  readonly loses?: ShopCall['loses'];
  /** What of a good answer is written down. */
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
  /** The furthest position that an answer told this device, and of which cart. */
  position: { readonly token: string; readonly cart: string } | undefined;
  /** By product. */
  lines = new Map<string, ShownLine>();
  /** The cart's. */
  seen = '';
  coupons: readonly CartCoupon[] = [];
  readonly ended: EndedSession[] = [];
  /** Commands whose outcome this device does not know, oldest first. */
  pending: PendingCommand[] = [];
  /** What somebody else gave here before: no page sends it again. */
  leftBehind: PendingCommand[] = [];
  /** Of the guests of this device, by session: who signed in. */
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

  /** Whatever it had seen was of that session's cart. */
  forgetSession(): void {
    for (const name of sessionCookies) this.#jar.delete(name);
    this.session = undefined;
    this.position = undefined;
    this.forgetCart();
  }

  forgetCart(): void {
    this.lines = new Map();
    this.seen = '';
    this.coupons = [];
  }

  /** Notes how far an answer about the cart had come. Answers come in any order, and one that brought no position may be behind. */
  reached({ headers }: ShopAnswer, cart: string): void {
    const token = String(headers['consistency-token'] ?? '');
    if (token !== '' && (this.position?.cart !== cart || covers(token, this.position.token))) this.position = { token, cart };
  }

  /** Ends the recorded operation whatever comes; a device that is told that its session has ended believes it. */
  async ask(asked: Asked): Promise<Told> {
    const gateway = asked.gateway ?? this.random.pick(this.shared.gateways);
    const shownCookies = asked.cookies ?? this.cookies();
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
        ...(asked.token === true && this.position !== undefined && { 'consistency-token': this.position.token }),
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
      // Positions are sent as headers, where the history says so.
      if (name === 'consistency') continue;
      if (value === '' || /; *max-age=0/i.test(line)) this.#jar.delete(name);
      else this.#jar.set(name, value);
    }
  }
}

/** Of these a 503 says that nothing was done. With the others it may come from behind the part that did it. */
const refusedBeforeItHappened: readonly string[] = ['unavailable', 'identity_unavailable'];
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
