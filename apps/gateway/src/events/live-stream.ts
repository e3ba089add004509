/**
 * One live stream of server-sent events. It tells a page what changed, so that the page reads it again. An event carries no data worth
 * stealing, and losing or repeating one does no harm.
 *
 * Failures, and the defence against each:
 * - A stream outlives its session. The stream checks its person again before every event, on every revocation heard, and every 2 s in any
 *   case. It uses the cache under the lease, else it asks auth. It never touches the session, so an open page does not keep anyone signed in.
 * - A self-contained session cannot be renewed from here, where no cookie can be set. So the stream ends with its access token (5 minutes at
 *   most, the bound of mode jwt). The browser opens the next stream by a request that renews the token.
 * - A change falls between two streams to a service. The first message of each stream says "read again", whatever happened before.
 * - orders is away. The gateway opens its stream and the cart's apart, and neither waits for the other.
 * - A client stops reading. At most one `cart` event waits for it, and one for each of its last orders. It has 10 s to go on.
 */
import { isProblem, observed, SessionState } from '@cloakroom/contracts';
import { type Revocation } from '@cloakroom/identity';
import { type OutgoingCall } from '@cloakroom/mesh';
import { observing, startSpan } from '@cloakroom/platform';
import { deviceLabel } from '../edge/device-label.ts';
import { type Credential, type EventSocket, type Exchange, outgoing, personOf } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { identifyCaller, identifyAgain } from '../identity/identify-caller.ts';
import { homeOf } from '../identity/home-region.ts';
import { ordersOf } from '../orders/orders-at-home.ts';
import type { Seat } from './streams.ts';
import { type Watch, watchAgain } from './watch-again.ts';

/** The parts of an open stream. */
export type StreamParts = Pick<Gateway, 'cart' | 'orders' | 'identity' | 'log'>;

/**
 * An ended session loses its stream within this bound even if no revocation is heard. Under the lease it takes 2.5 s at most if the session
 * ended elsewhere, too.
 */
const recheckIntervalMs = 2_000;
/** Below the idle time-outs of common proxies (60 s), and soon enough to find a dead client. */
const keepAliveIntervalMs = 15_000;
const stalledMaxMs = 10_000;
/** Orders that may wait while the client does not read. Beyond it, the ones that waited longest are left out. */
const ordersWaitingMax = 100;

export class LiveStream {
  private readonly exchange: Exchange;
  private readonly socket: EventSocket;
  private readonly gateway: StreamParts;
  private readonly seat: Seat;
  private readonly gone = new AbortController();
  private passport: Credential;
  private stalled: NodeJS.Timeout | undefined;
  private cartWaiting = false;
  /** The cause of the change, by order. */
  private readonly ordersWaiting = new Map<string, string>();

  constructor(exchange: Exchange, socket: EventSocket, gateway: StreamParts, seat: Seat) {
    this.exchange = exchange;
    this.socket = socket;
    this.gateway = gateway;
    this.seat = seat;
    this.passport = personOf(exchange).passport;
  }

  start(): void {
    const recheck = setInterval(() => void this.stillThere(), recheckIntervalMs);
    const keepAlive = setInterval(() => this.write(': still here\n\n'), keepAliveIntervalMs);
    const home = homeOf(this.gateway.identity, this.exchange.token) ?? this.gateway.identity;
    const stopListening = home.feed.onRevocation((what) => this.heard(what));
    this.socket.onDrain(() => this.drained());
    this.socket.onClose(() => {
      this.gone.abort();
      clearInterval(recheck);
      clearInterval(keepAlive);
      clearTimeout(this.stalled);
      stopListening();
      this.seat.leave();
    });
    this.seat.onClosing(() => this.end());
    if (this.gone.signal.aborted) return;
    this.write('retry: 2000\n: open\n\n');
    this.follow({
      open: () => Promise.resolve(this.gateway.cart.watch(this.call(this.passport), {})),
      hear: (change) => this.cartChanged(change.traceparent),
      // The next stream gets a fresh passport.
      again: () => this.stillThere(),
    });
    // A guest has no orders.
    if (personOf(this.exchange).view.state === SessionState.USER)
      this.follow({
        open: () => this.openOrders(),
        hear: (change) => this.orderChanged(change.orderId, change.traceparent),
      });
  }

  /** Hears from a service until the client has gone. */
  private follow<Change>(watch: Watch<Change>): void {
    watchAgain(watch, this.gone.signal).catch((error: unknown) => {
      this.gateway.log.error({ err: error, trace_id: this.exchange.trace.traceId }, 'a live stream failed');
      this.socket.destroy();
    });
  }

  private call(passport: Credential): OutgoingCall {
    return { ...outgoing(this.exchange, passport), budgetMs: Number.POSITIVE_INFINITY, signal: this.gone.signal };
  }

  /** Opens the stream of orders with a passport of its own. It ends nothing, because the session is checked every 2 s in any case. */
  private async openOrders() {
    const found = await identifyCaller(
      this.exchange,
      { audience: 'orders', sensitive: false, touch: false, refresh: false },
      this.gateway.identity,
    );
    if (found === undefined || typeof found === 'string' || isProblem(found)) return undefined;
    return ordersOf({ person: found }, this.gateway).watch(this.call(found.passport), {});
  }

  /** @param cause the traceparent of the change; '' where it is not known */
  private async cartChanged(cause: string): Promise<void> {
    if (!(await this.stillThere())) return;
    if (this.stalled === undefined) this.write(changed(this.exchange, 'cart', {}, cause));
    else this.cartWaiting = true;
  }

  private async orderChanged(orderId: string, cause: string): Promise<void> {
    if (!(await this.stillThere())) return;
    if (this.stalled === undefined) return this.write(changed(this.exchange, 'order', { orderId }, cause));
    this.ordersWaiting.delete(orderId);
    this.ordersWaiting.set(orderId, cause);
    if (this.ordersWaiting.size > ordersWaitingMax) this.ordersWaiting.delete(this.ordersWaiting.keys().next().value!);
  }

  private heard(what: Revocation): void {
    const { view } = personOf(this.exchange);
    const concerned = !('subject' in what) || what.subject === view.subject;
    if (concerned) void this.stillThere();
  }

  /** Tells whether this stream may say anything more, and ends it if not. */
  private async stillThere(): Promise<boolean> {
    if (this.gone.signal.aborted) return false;
    const { exchange, gateway } = this;
    const found = await identifyAgain(exchange, gateway.identity).catch((error: unknown) => {
      gateway.log.error({ err: error, trace_id: exchange.trace.traceId }, 'a live stream could not be checked');
      return 'ended' as const;
    });
    if (this.gone.signal.aborted) return false;
    if (found === 'ended' || found === undefined) {
      this.write('event: session\ndata: {"state":"none"}\n\n');
      this.end();
      return false;
    }
    // Auth cannot be asked, and a session that cannot be checked must not go on. The page asks again and is told to wait.
    if (isProblem(found)) {
      this.end();
      return false;
    }
    this.passport = found.passport;
    return true;
  }

  private write(text: string): void {
    if (this.gone.signal.aborted || this.socket.write(text)) return;
    this.stalled ??= setTimeout(() => this.socket.destroy(), stalledMaxMs);
  }

  private drained(): void {
    clearTimeout(this.stalled);
    this.stalled = undefined;
    const orders = [...this.ordersWaiting];
    this.ordersWaiting.clear();
    for (const [orderId, cause] of orders) void this.orderChanged(orderId, cause);
    if (!this.cartWaiting) return;
    this.cartWaiting = false;
    void this.cartChanged('');
  }

  private end(): void {
    this.gone.abort();
    this.socket.end();
  }
}

/**
 * Says "read again", and names the trace of the change. The page sends the trace along, so the change's trace ends where a person sees it.
 */
function changed(exchange: Exchange, what: 'cart' | 'order', data: { readonly orderId?: string }, cause: string): string {
  const attributes = cause !== '' && observing() ? listenerOf(exchange) : {};
  const span = cause === '' ? undefined : startSpan({ name: `live event ${what}`, kind: 'producer', parent: cause, attributes });
  span?.end();
  const told = { ...data, ...(cause !== '' && { traceparent: span?.trace.traceparent ?? cause }) };
  return `event: ${what}\ndata: ${JSON.stringify(told)}\n\n`;
}

/** Whose page hears it, for the Observatory alone. */
function listenerOf(exchange: Exchange): Record<string, string> {
  const { subject, handle } = personOf(exchange).view;
  return { [observed.subject]: subject, [observed.session]: handle, [observed.device]: deviceLabel(exchange.userAgent) };
}
