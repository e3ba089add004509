/**
 * Cuts and slows the TCP connections of this process to others. It works on real sockets, by the name of no library: gRPC, Redis and Kafka see what a
 * bad wire does. Nothing is in the way of a connection while no fault is on.
 *
 * - cut: open connections to those ports are destroyed, and new ones are refused before they leave this process.
 * - slow: open ones are destroyed too, and new ones go through a relay in this process that holds every piece for so long, each way.
 *
 * A library may read its socket below JavaScript, as HTTP/2 does. So a connection that is open already can be ended, and not slowed down.
 */
import { connect, createServer, type AddressInfo, type Server, Socket } from 'node:net';
import type { FaultSwitch } from '@cloakroom/contracts';

const loopback = '127.0.0.1';
/** The most that a relay holds for one direction of a connection. Beyond it the sender waits, as it does on a full wire. */
const heldBytesMax = 1024 * 1024;

interface Wire {
  /** undefined: it is cut. */
  readonly delayMs: number | undefined;
  readonly relay: Relay | undefined;
}

export class Connections {
  readonly #open: ReadonlySet<Socket>;
  /** By the port at the far end. */
  #wires: ReadonlyMap<number, Wire> = new Map();

  /** @param open the connections of this process, kept up to date */
  constructor(open: ReadonlySet<Socket>) {
    this.#open = open;
  }

  /** @param faults all that hold now; what is not named is whole again */
  apply(faults: readonly FaultSwitch[]): void {
    const wanted = new Map(
      faults.flatMap(({ fault, strengthMs, ends }) => portsOf(ends?.ports, fault === 'connection-cut' ? undefined : strengthMs)),
    );
    const before = this.#wires;
    const changed = [...new Set([...before.keys(), ...wanted.keys()])].filter(
      (port) => before.has(port) !== wanted.has(port) || before.get(port)?.delayMs !== wanted.get(port),
    );
    if (changed.length === 0) return;
    this.#wires = new Map(
      [...wanted].map(([port, delayMs]) => [port, changed.includes(port) ? this.#wire(port, delayMs) : before.get(port)!]),
    );
    const meet = (socket: Socket, args: unknown[]): Socket => this.#meet(socket, args);
    const connectInTrouble: Connect = function (...args) {
      return meet(this, args);
    };
    Socket.prototype.connect = (wanted.size > 0 ? connectInTrouble : connectAsEver) as Socket['connect'];
    for (const port of changed) {
      before.get(port)?.relay?.close();
      if (wanted.get(port) === undefined) this.#end(port);
    }
  }

  /** Connections are not ended before their relay can take the next ones: a refused library waits for a second before it tries again. */
  #wire(port: number, delayMs: number | undefined): Wire {
    return { delayMs, relay: delayMs === undefined ? undefined : new Relay(port, delayMs, () => this.#end(port)) };
  }

  #end(port: number): void {
    for (const socket of this.#open) if (socket.remotePort === port) socket.destroy(broken('ECONNRESET'));
  }

  /** Takes the place of `Socket.connect` while a fault is on. */
  #meet(socket: Socket, args: unknown[]): Socket {
    // A list as the first argument is Node's own form, made of the arguments that a caller gave.
    const [options] = (Array.isArray(args[0]) ? args[0] : args) as [{ port?: number | string } | number | string];
    const wire = relaying ? undefined : this.#wires.get(Number(typeof options === 'object' ? options.port : options));
    if (wire === undefined) return connectAsEver.apply(socket, args);
    const port = wire.relay?.port;
    if (port === undefined) return refuse(socket);
    const detour = { ...(typeof options === 'object' && options), host: loopback, port };
    if (Array.isArray(args[0])) args[0][0] = detour;
    else args.splice(0, typeof args[1] === 'string' ? 2 : 1, detour);
    return connectAsEver.apply(socket, args);
  }
}

type Connect = (this: Socket, ...args: unknown[]) => Socket;
// oxlint-disable-next-line typescript/unbound-method -- called with its socket
const connectAsEver = Socket.prototype.connect as Connect;

const portsOf = (ports: readonly number[] = [], delayMs: number | undefined) => ports.map((port) => [port, delayMs] as const);

const broken = (code: string): Error => Object.assign(new Error(`${code}: a fault of the Observatory cut this connection`), { code });

function refuse(socket: Socket): Socket {
  process.nextTick(() => socket.destroy(broken('ECONNREFUSED')));
  return socket;
}

/** The relay's own connections take no detour. */
let relaying = false;

/** Holds each piece for a while, each way. While its port is not known yet, connections are refused. */
class Relay {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  /** @param onReady it takes connections from now on */
  constructor(to: number, delayMs: number, onReady: () => void) {
    this.#server = createServer({ allowHalfOpen: true }, (near) => {
      relaying = true;
      const far = connect({ port: to, host: loopback, allowHalfOpen: true });
      relaying = false;
      for (const [from, into] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from.on('error', () => into.destroy());
        from.once('close', () => {
          this.#sockets.delete(from);
          into.destroy();
        });
        pass(from, into, delayMs);
      }
    });
    this.#server.on('error', () => undefined);
    this.#server.listen(0, loopback, onReady);
    this.#server.unref();
  }

  get port(): number | undefined {
    return (this.#server.address() as AddressInfo | null)?.port;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** Timers of one length run in the order in which they were set, so no piece overtakes another. */
function pass(from: Socket, into: Socket, delayMs: number): void {
  let held = 0;
  from.on('data', (piece: Buffer) => {
    held += piece.length;
    if (held > heldBytesMax) from.pause();
    setTimeout(() => {
      held -= piece.length;
      if (held <= heldBytesMax) from.resume();
      into.write(piece);
    }, delayMs);
  });
  from.once('end', () => setTimeout(() => into.end(), delayMs));
}
