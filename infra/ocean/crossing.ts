/**
 * One way of one connection across the ocean. Bytes arrive in the order in which they were sent, each after the delay that held when it left.
 *
 * This file owns what a fault does to a stream. A held way keeps everything. A cut way loses bytes, so its stream must never go on: `lost` says that
 * the connection has to be reset.
 */
import type { Socket } from 'node:net';
import type { WayState } from './ocean.types.ts';

/** All that a crossing asks about its way. */
export interface Lane {
  readonly state: WayState;
  readonly delayMs: number;
  arrived(bytes: number): void;
}

/** Bytes under way on one connection, like a TCP window. It lets 50 MB a second through at a round trip of 80 ms. */
const waitingBytesMax = 4 * 1024 * 1024;
/** A timer may fire this much early, compared with the other clock. */
const timerSlackMs = 1;

interface Waiting {
  readonly dueMs: number;
  readonly size: number;
  /** @returns false where the receiver takes no more until it has drained */
  readonly arrive: () => boolean;
}

/** Something that arrives and is no bytes. */
const act = (run: () => unknown) => (): boolean => {
  run();
  return true;
};

export class Crossing {
  readonly #lane: Lane;
  readonly #from: Socket;
  readonly #to: Socket;
  /** The handshake of the connection is over then. */
  readonly #notBeforeMs: number;
  /** In the order of sending. One that is due waits for those before it, also when the delay has become shorter. */
  readonly #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #isBlocked = false;
  #hasEnded = false;
  #lost = false;

  /** @param notBeforeMs no byte leaves before this moment of `performance.now()` */
  constructor(lane: Lane, from: Socket, to: Socket, notBeforeMs: number) {
    this.#lane = lane;
    this.#from = from;
    this.#to = to;
    this.#notBeforeMs = notBeforeMs;
    from.on('data', (bytes: Buffer) => this.#send(bytes.length, () => this.#write(bytes)));
    from.on('end', () => {
      this.#hasEnded = true;
      this.#send(
        0,
        act(() => to.end()),
      );
    });
    // Without an end before it, this is the reset of a connection.
    from.on('close', () => {
      if (!this.#hasEnded || from.errored !== null)
        this.#send(
          0,
          act(() => to.resetAndDestroy()),
        );
    });
    to.on('drain', () => {
      this.#isBlocked = false;
      this.pump();
    });
  }

  /** Whether something that was sent will never arrive. */
  get lost(): boolean {
    return this.#lost;
  }

  /** The dialling itself crosses the ocean, ahead of every byte and without waiting for a handshake. */
  dial(connect: () => void): void {
    this.#enqueue({ dueMs: performance.now() + this.#lane.delayMs, size: 0, arrive: act(connect) });
  }

  /** Lets everything arrive that is due. Call it when the way has become open. */
  pump(): void {
    clearTimeout(this.#timer);
    if (this.#lane.state !== 'open' || this.#isBlocked) return;
    const nowMs = performance.now() + timerSlackMs;
    while (!this.#isBlocked && (this.#waiting[0]?.dueMs ?? Number.POSITIVE_INFINITY) <= nowMs) {
      const { size, arrive } = this.#waiting.shift()!;
      this.#waitingBytes -= size;
      this.#lane.arrived(size);
      this.#isBlocked = !arrive();
    }
    if (this.#waitingBytes < waitingBytesMax) this.#from.resume();
    const next = this.#waiting[0];
    if (next !== undefined && !this.#isBlocked) this.#timer = setTimeout(() => this.pump(), Math.max(0, next.dueMs - performance.now()));
  }

  /** The way has been cut: nothing under way arrives. */
  lose(): void {
    clearTimeout(this.#timer);
    if (this.#waiting.length > 0) this.#lost = true;
    this.#waiting.length = 0;
    this.#waitingBytes = 0;
    // The sender goes on into the void, as it would without an answer from the network.
    this.#from.resume();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#waiting.length = 0;
  }

  #send(size: number, arrive: () => boolean): void {
    this.#enqueue({ dueMs: Math.max(performance.now(), this.#notBeforeMs) + this.#lane.delayMs, size, arrive });
  }

  #enqueue(item: Waiting): void {
    if (this.#lane.state === 'cut') {
      this.#lost = true;
      return;
    }
    this.#waitingBytes += item.size;
    if (this.#waitingBytes >= waitingBytesMax) this.#from.pause();
    if (this.#waiting.push(item) === 1) this.pump();
  }

  #write(bytes: Buffer): boolean {
    // The receiver is gone, and a reset is under way to the sender.
    return this.#to.destroyed || this.#to.write(bytes);
  }
}
