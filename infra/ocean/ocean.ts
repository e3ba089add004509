/**
 * The network between two regions: a TCP proxy for every address that one region dials in the other. Both ways have one delay, half of the round trip,
 * and each way can be held or cut by itself.
 *
 * A new connection pays for its handshake: the dial arrives after one way, and the first byte leaves after a round trip. A userland proxy cannot delay
 * the handshake itself, so the dialler sees its connection at once and its first byte late.
 */
import { createServer, Socket } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import type { OceanRoute } from '../stack/stack.spec.ts';
import { Crossing, type Lane } from './crossing.ts';
import { rttMaxMs, wayFrom, ways } from './ocean.types.ts';
import type { OceanCommand, OceanStatus, Way, WayState } from './ocean.types.ts';

const loopback = '127.0.0.1';

interface WayNow {
  state: WayState;
  /** Whether connections dialled where the way begins are refused. */
  dialsRefused: boolean;
  bytes: number;
}

interface Connection {
  readonly dialledAlong: Way;
  readonly there: Crossing;
  readonly back: Crossing;
  reset(): void;
}

export class Ocean {
  readonly #routes: readonly OceanRoute[];
  readonly #ways: Readonly<Record<Way, WayNow>> = { 'eu-us': openWay(), 'us-eu': openWay() };
  readonly #servers: Server[] = [];
  readonly #connections = new Set<Connection>();
  #rttMs: number;

  constructor(routes: readonly OceanRoute[], rttMs: number) {
    this.#routes = routes;
    this.#rttMs = rttMs;
  }

  /**
   * @returns the ports that it listens on, in the order of the routes; a route with port 0 gets a free one
   * @throws where a port is taken
   */
  async open(): Promise<number[]> {
    for (const route of this.#routes) {
      const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client, route));
      this.#servers.push(server);
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(route.listenPort, loopback, () => {
          server.off('error', reject);
          resolve();
        });
      });
    }
    return this.#servers.map((server) => (server.address() as AddressInfo).port);
  }

  async close(): Promise<void> {
    const closed = this.#servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    for (const connection of this.#connections) connection.reset();
    await Promise.all(closed);
  }

  obey(command: OceanCommand): void {
    if (command.do === 'heal') return this.#heal();
    if (command.do === 'rtt') return void (this.#rttMs = command.rttMs);
    const meant = command.way === undefined ? ways : [command.way];
    for (const way of meant) {
      if (command.do === 'refuse-dials') this.#ways[way].dialsRefused = true;
      else this.#ways[way].state = command.do === 'cut' ? 'cut' : 'held';
    }
    this.#enforce();
  }

  status(): OceanStatus {
    return {
      rttMs: this.#rttMs,
      rttMaxMs,
      ways: ways.map((way) => ({
        way,
        state: this.#ways[way].state,
        dials: this.#ways[way].dialsRefused ? 'refused' : 'open',
        bytes: this.#ways[way].bytes,
        connections: [...this.#connections].filter(({ dialledAlong }) => dialledAlong === way).length,
      })),
    };
  }

  /** Cut both ways: no answer could ever come, so a connection is ended instead of being left to its time-outs. */
  get #isSevered(): boolean {
    return ways.every((way) => this.#ways[way].state === 'cut');
  }

  #isRefused(way: Way): boolean {
    return this.#isSevered || this.#ways[way].dialsRefused;
  }

  #enforce(): void {
    for (const connection of this.#connections) {
      if (this.#isRefused(connection.dialledAlong)) connection.reset();
      else this.#settle(connection);
    }
  }

  #settle({ dialledAlong, there, back }: Connection): void {
    for (const crossing of [there, back]) {
      const way = crossing === there ? dialledAlong : opposite(dialledAlong);
      if (this.#ways[way].state === 'cut') crossing.lose();
      else crossing.pump();
    }
  }

  /** A stream that lost bytes cannot go on. */
  #heal(): void {
    for (const way of ways) Object.assign(this.#ways[way], { state: 'open', dialsRefused: false });
    for (const connection of this.#connections) {
      if (connection.there.lost || connection.back.lost) connection.reset();
      else this.#settle(connection);
    }
  }

  #accept(client: Socket, { from, targetPort }: OceanRoute): void {
    const dialledAlong = wayFrom(from);
    client.on('error', () => undefined);
    if (this.#isRefused(dialledAlong)) return void client.resetAndDestroy();
    const target = new Socket({ allowHalfOpen: true });
    target.setNoDelay(true);
    target.on('error', () => undefined);
    const handshakeOverMs = performance.now() + this.#rttMs;
    const there = new Crossing(this.#laneOf(dialledAlong), client, target, handshakeOverMs);
    const back = new Crossing(this.#laneOf(opposite(dialledAlong)), target, client, 0);
    const connection: Connection = {
      dialledAlong,
      there,
      back,
      reset: () => {
        this.#connections.delete(connection);
        there.stop();
        back.stop();
        client.resetAndDestroy();
        target.resetAndDestroy();
      },
    };
    this.#connections.add(connection);
    for (const socket of [client, target])
      socket.on('close', () => {
        if (client.destroyed && target.destroyed) this.#connections.delete(connection);
      });
    there.dial(() => target.connect({ port: targetPort, host: loopback }));
  }

  #laneOf(way: Way): Lane {
    const now = this.#ways[way];
    const delay = () => this.#rttMs / ways.length;
    return {
      get state() {
        return now.state;
      },
      get delayMs() {
        return delay();
      },
      arrived: (bytes) => void (now.bytes += bytes),
    };
  }
}

const openWay = (): WayNow => ({ state: 'open', dialsRefused: false, bytes: 0 });
const opposite = (way: Way): Way => (way === 'eu-us' ? 'us-eu' : 'eu-us');
