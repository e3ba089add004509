/** Somebody with the cookies of a device that home has ended, who goes on asking a gateway abroad. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Visitor } from '../failures/visitor.ts';
import { expect, test } from '../kit/device.ts';
import { cartOf, decisionOf } from './ocean-crowd.ts';

/** Between two questions. */
const paceMs = 200;
const refused = 401;
/** The gateway is down. */
const noAnswer = 0;

export class Thief {
  /** When the last question was asked that was answered with the cart, since home had ended the device. */
  lastInMs = 0;
  /** How the gateway decided each question that it answered with the cart. */
  readonly decisions = new Set<string>();
  /** The statuses, each once in a row. */
  readonly statuses: number[] = [];
  private readonly asking: Promise<void>;
  private isOver = false;

  /** Call it as soon as home has answered that the device is ended. */
  constructor(device: Visitor, gateway: string) {
    this.asking = this.steal(device, gateway);
    // `end` tells of it.
    this.asking.catch(() => undefined);
  }

  /** @returns resolves when the gateway knows that the device is ended */
  async untilRefused(timeout: number): Promise<void> {
    await expect.poll(() => this.statuses, { timeout, message: 'the ended device is refused' }).toContain(refused);
  }

  /** Stops, and holds the gateway to the bound. A gateway that has refused a device once lets it in never more. */
  async end(boundMs: number, who: string): Promise<void> {
    this.isOver = true;
    await this.asking;
    test.info().annotations.push({ type: who, description: `last let in ${Math.round(this.lastInMs)} ms after home had answered` });
    const told = `${who}: ${this.statuses.join(', ')} after home had answered`;
    expect.soft(this.lastInMs, `${told}: the last time that it was let in, ms`).toBeLessThanOrEqual(boundMs);
    const since = this.statuses.indexOf(refused);
    if (since >= 0) expect.soft(this.statuses.slice(since), told).not.toContain(200);
  }

  private async steal(device: Visitor, gateway: string): Promise<void> {
    const beganMs = performance.now();
    while (!this.isOver) {
      const askedMs = performance.now() - beganMs;
      // With the same cookies each time, whatever the answer says about them.
      const answer = await cartOf(device.copy(), gateway).catch(() => undefined);
      if (answer?.status === 200) {
        this.lastInMs = askedMs;
        this.decisions.add(decisionOf(answer) ?? 'untold');
      }
      const status = answer?.status ?? noAnswer;
      if (this.statuses.at(-1) !== status) this.statuses.push(status);
      await delay(paceMs); // not a wait: the pace of a thief
    }
  }
}
