/**
 * Sends the cart's commands, and goes on asking for those whose outcome is not known: under the same id, which counts once.
 *
 * A command belongs to the person who made it. A guest's goes on as the user whose sign-in claimed that guest's cart. It is never sent as anybody
 * else: before each try the page looks who is here, and the gateway refuses what names another cart (`other_cart`), since another tab may have
 * changed the cookie meanwhile.
 */
import type { Accepted } from './api.types.ts';
import { isRefused, leavesOpen } from './doubt.ts';
import { keptMs, type PendingCommand, type PendingStore } from './pending-store.ts';
import { ApiProblem, request, type Fetch } from './request.ts';
import { attemptsMax, retryDelayMs, type RetryParts } from './retry.ts';
import { uuidV7 } from './uuid.ts';

/** Who is here, as the session tells it. */
export interface CartOwner {
  readonly cartId: string;
  readonly claimedGuestCart?: string;
}

export interface OutboxParts extends RetryParts {
  readonly fetch: Fetch;
  readonly store: PendingStore;
  readonly owner: () => CartOwner | undefined;
  readonly nowMs: () => number;
  /** Hears every refusal: of some, the page must look who is here now. */
  readonly onProblem: (problem: ApiProblem) => void;
  readonly randomBytes: (count: number) => Uint8Array;
}

export type CommandWish = Pick<PendingCommand, 'method' | 'path' | 'body' | 'about' | 'productId' | 'lineId'>;

export type Asked =
  { readonly command: PendingCommand; readonly accepted: Accepted } | { readonly command: PendingCommand; readonly refused: ApiProblem };

/** Outages that heal by themselves are over by then; from there on the person decides. */
export const askingMs = 10 * 60_000;
/** More without one answer, and something is broken that more commands do not mend. */
export const pendingCountMax = 20;

export const isOf = ({ cartId }: Pick<PendingCommand, 'cartId'>, owner: CartOwner | undefined): boolean =>
  owner !== undefined && (cartId === owner.cartId || cartId === owner.claimedGuestCart);

/**
 * A guest's cart that is neither this guest's nor claimed by this person cannot be reached by anybody any more. Where nobody is here, it may have
 * been claimed by a sign-in whose answer was lost: signing in again tells.
 */
export const isUnreachable = ({ cartId }: Pick<PendingCommand, 'cartId'>, owner: CartOwner | undefined): boolean =>
  owner !== undefined && cartId.startsWith('g_') && !isOf({ cartId }, owner);

export class Outbox {
  private readonly parts: OutboxParts;
  private readonly underWay = new Set<string>();

  constructor(parts: OutboxParts) {
    this.parts = parts;
  }

  /** What is kept of the person who is here, oldest first. */
  mine(): readonly PendingCommand[] {
    const owner = this.parts.owner();
    return this.parts.store.read().filter((command) => isOf(command, owner));
  }

  /** One try. Undefined: still not known, or not this person's to ask. */
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
      // It may have been let go, or become another cart's, while this try was under way.
      const now = store.find(commandId);
      if (isRefused(error, now?.isOpen === true)) {
        store.remove(commandId);
        return { command, refused: error };
      }
      if (now !== undefined && leavesOpen(error)) store.write({ ...now, isOpen: true });
      return error;
    }
  }

  /** @throws ApiProblem a refusal, for certain; or `still_asking`: it is not known, and asked for from here on by `ask` */
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

  /** What was never in doubt was not taken, and may be done anew. */
  private giveUp(commandId: string, last: ApiProblem | undefined): never {
    const { store } = this.parts;
    if (store.find(commandId)?.isOpen !== true) {
      store.remove(commandId);
      throw last ?? new ApiProblem('other_cart', 0, 'This was not sent: somebody else is here now.');
    }
    throw new ApiProblem('still_asking', 0, 'Not sure yet whether this was taken. Still asking; it counts once.');
  }

  /** One round over what is open and this person's, oldest first. @returns what is known now, for who is here now */
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

  /** The person says to go on. */
  askOn(commandId: string): void {
    const { store, nowMs } = this.parts;
    const command = store.find(commandId);
    if (command) store.write({ ...command, stopped: false, askedSinceMs: nowMs() });
  }

  /** Not asked for any more; whether it was taken, the cart shows in its time. */
  letGo(commandId: string): void {
    this.parts.store.remove(commandId);
  }

  /**
   * Somebody came or went. A guest's commands become those of the person who claimed that guest's cart; those of a guest whose cart nobody can
   * reach any more are dropped. Those of another person are kept for them; all are kept while nobody is here.
   * @returns what was dropped
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
