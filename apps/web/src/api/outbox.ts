/**
 * Sends the cart's commands. A command whose outcome is unknown is sent again under the same id, which counts once.
 *
 * A command belongs to the person who made it. After a sign-in that claimed the guest's cart, the guest's commands go on as that user's. The page
 * never sends a command as anybody else. It looks who is here before each try. Another tab may still change the cookie in between, so the gateway
 * refuses a command that names another cart (`other_cart`).
 */
import type { Accepted } from './api.types.ts';
import { isRefused, leavesOpen } from './doubt.ts';
import { keptMs, type PendingCommand, type PendingStore } from './pending-store.ts';
import { ApiProblem, request, type Fetch } from './request.ts';
import { attemptsMax, retryDelayMs, type RetryParts } from './retry.ts';
import { uuidV7 } from './uuid.ts';

/** The owner of the cart, from the session. */
export interface CartOwner {
  readonly cartId: string;
  readonly claimedGuestCart?: string;
  /** The guest whom this browser was lives in a region that does not answer, so it is not known yet which cart is claimed. */
  readonly guestWaits?: boolean;
}

export interface OutboxParts extends RetryParts {
  readonly fetch: Fetch;
  readonly store: PendingStore;
  readonly owner: () => CartOwner | undefined;
  readonly nowMs: () => number;
  /** Hears every refusal. After some of them the page must read the session again. */
  readonly onProblem: (problem: ApiProblem) => void;
  readonly randomBytes: (count: number) => Uint8Array;
}

export type CommandWish = Pick<PendingCommand, 'method' | 'path' | 'body' | 'about' | 'productId' | 'lineId'>;

export type Asked =
  { readonly command: PendingCommand; readonly accepted: Accepted } | { readonly command: PendingCommand; readonly refused: ApiProblem };

/** Outages that heal by themselves are over by then. After that the person decides. */
export const askingMs = 10 * 60_000;
/** With so many commands unanswered, something is broken, and more commands would not help. */
export const pendingCountMax = 20;

export const isOf = ({ cartId }: Pick<PendingCommand, 'cartId'>, owner: CartOwner | undefined): boolean =>
  owner !== undefined &&
  (cartId === owner.cartId || cartId === owner.claimedGuestCart || (owner.guestWaits === true && cartId.startsWith('g_')));

/**
 * A guest's cart is out of reach if it is not this guest's cart, and this person did not claim it. While nobody is signed in this is unknown:
 * a sign-in whose answer was lost may have claimed it.
 */
export const isUnreachable = ({ cartId }: Pick<PendingCommand, 'cartId'>, owner: CartOwner | undefined): boolean =>
  owner !== undefined && cartId.startsWith('g_') && !isOf({ cartId }, owner);

export class Outbox {
  private readonly parts: OutboxParts;
  private readonly underWay = new Set<string>();

  constructor(parts: OutboxParts) {
    this.parts = parts;
  }

  /** The kept commands of the person who is here, oldest first. */
  mine(): readonly PendingCommand[] {
    const owner = this.parts.owner();
    return this.parts.store.read().filter((command) => isOf(command, owner));
  }

  /** Tries once. Undefined: the command is gone, or belongs to another person. A problem: the outcome is still unknown. */
  private async attempt(commandId: string): Promise<Asked | ApiProblem | undefined> {
    const { store, owner, fetch } = this.parts;
    const command = store.find(commandId);
    if (command === undefined || !isOf(command, owner())) return undefined;
    const { method, path, body, cartId } = command;
    try {
      const accepted = await request<Accepted>(fetch, { method, path, body: { commandId, cartId, ...body } });
      store.remove(commandId);
      return { command, accepted };
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      this.parts.onProblem(error);
      // During this try the person may have let the command go, or it may have moved to another cart.
      const now = store.find(commandId);
      if (isRefused(error, now?.isOpen === true)) {
        store.remove(commandId);
        return { command, refused: error };
      }
      if (now !== undefined && leavesOpen(error)) store.write({ ...now, isOpen: true });
      return error;
    }
  }

  /** @throws ApiProblem a certain refusal; or `still_asking` if the outcome is unknown, and `ask` goes on asking */
  async send(wish: CommandWish): Promise<Accepted> {
    const { store, nowMs: now, randomBytes } = this.parts;
    const owner = this.parts.owner();
    if (owner === undefined) throw new ApiProblem('session_required', 0, 'Reload the page: it does not know yet who you are.');
    if (this.mine().length >= pendingCountMax)
      throw new ApiProblem(
        'too_many_requests',
        0,
        `${pendingCountMax} changes have no answer yet. Wait until it is known what became of them.`,
      );
    const nowMs = now();
    const commandId = uuidV7(nowMs, randomBytes(10));
    const times = { madeAtMs: nowMs, askedSinceMs: nowMs };
    store.write({ ...wish, ...times, commandId, cartId: owner.cartId, isOpen: false, stopped: false });
    this.underWay.add(commandId);
    try {
      return await this.tryUntilKnown(commandId);
    } finally {
      this.underWay.delete(commandId);
    }
  }

  private async tryUntilKnown(commandId: string): Promise<Accepted> {
    for (let tries = 1; ; tries++) {
      const outcome = await this.attempt(commandId);
      if (outcome !== undefined && 'accepted' in outcome) return outcome.accepted;
      if (outcome !== undefined && 'refused' in outcome) throw outcome.refused;
      const delayMs = outcome && retryDelayMs(outcome, tries, this.parts.random());
      if (delayMs === undefined || tries >= attemptsMax) return this.giveUp(commandId, outcome);
      await this.parts.sleep(delayMs);
    }
  }

  /** If no try lost its answer, the command was not taken, and the person may do it again. */
  private giveUp(commandId: string, last: ApiProblem | undefined): never {
    const { store } = this.parts;
    if (store.find(commandId)?.isOpen !== true) {
      store.remove(commandId);
      throw last ?? new ApiProblem('other_cart', 0, 'This was not sent: somebody else is here now.');
    }
    throw new ApiProblem('still_asking', 0, 'Not sure yet whether this was taken. Still asking; it counts once.');
  }

  /** Tries each open command of this person once, oldest first. @returns the outcomes that are known now, of the person who is here now */
  async ask(): Promise<readonly Asked[]> {
    const { store, owner, nowMs } = this.parts;
    const known: Asked[] = [];
    for (const { commandId, stopped, askedSinceMs, madeAtMs } of store.read()) {
      if (nowMs() - madeAtMs >= keptMs) store.remove(commandId);
      if (this.underWay.has(commandId) || stopped) continue;
      const outcome = await this.attempt(commandId);
      const command = store.find(commandId);
      if (outcome !== undefined && !(outcome instanceof ApiProblem)) known.push(outcome);
      else if (command !== undefined && outcome !== undefined && nowMs() - askedSinceMs >= askingMs)
        store.write({ ...command, stopped: true });
    }
    return known.filter(({ command }) => isOf(command, owner()));
  }

  /** The person wants the page to go on asking. */
  askOn(commandId: string): void {
    const { store, nowMs } = this.parts;
    const command = store.find(commandId);
    if (command) store.write({ ...command, stopped: false, askedSinceMs: nowMs() });
  }

  /** The page stops asking. The cart will show whether the command was taken. */
  letGo(commandId: string): void {
    this.parts.store.remove(commandId);
  }

  /**
   * To be called when somebody signed in or out. A guest's commands pass to the person who claimed that guest's cart. Commands for a cart that is
   * out of reach are dropped. Commands of another person are kept for them. While nobody is here, all are kept.
   * @returns the dropped commands
   */
  follow(): readonly PendingCommand[] {
    const { store } = this.parts;
    const owner = this.parts.owner();
    const dropped = store.read().filter((command) => isUnreachable(command, owner) && !this.underWay.has(command.commandId));
    for (const { commandId } of dropped) store.remove(commandId);
    for (const command of store.read())
      if (owner !== undefined && isOf(command, owner) && command.cartId !== owner.cartId) store.write({ ...command, cartId: owner.cartId });
    return dropped;
  }
}
