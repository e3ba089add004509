/** The cart commands of this tab that have no answer yet. They are kept from before the first try until the outcome is known. */
import type { Method } from './request.ts';

export interface PendingCommand {
  readonly commandId: string;
  /** The owner's cart, a guest's or a person's. Nobody else may send the command. */
  readonly cartId: string;
  readonly method: Method;
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** Tells the person what the command does: "adding 1 × Top hat, Black". */
  readonly about: string;
  /** The product or line that the command changes, so that the page can say so beside it. */
  readonly productId?: string;
  readonly lineId?: string;
  readonly madeAtMs: number;
  /** When the page began to ask by itself. */
  readonly askedSinceMs: number;
  /** A try got no answer, so the command may or may not have been taken. */
  readonly isOpen: boolean;
  /** The page stopped asking. The person may let it go on. */
  readonly stopped: boolean;
}

export interface PendingStore {
  readonly subscribe: (listener: () => void) => () => void;
  /** Oldest first. It is the same array until something changes. */
  readonly read: () => readonly PendingCommand[];
  readonly find: (commandId: string) => PendingCommand | undefined;
  readonly write: (command: PendingCommand) => void;
  readonly remove: (commandId: string) => void;
}

const place = 'pending-commands';
/** The shop refuses a command id after 7 days. Long before that nobody cares about one change of a cart. */
export const keptMs = 24 * 60 * 60_000;

/** @param storage of this tab: it outlives a reload, and other tabs do not see it. If it is full or forbidden, commands last as long as the page. */
export function createPendingStore(storage: () => Pick<Storage, 'getItem' | 'setItem'>, nowMs: () => number): PendingStore {
  const listeners = new Set<() => void>();
  let commands = restore(storage, nowMs());
  const change = (next: readonly PendingCommand[]): void => {
    commands = next;
    try {
      storage().setItem(place, JSON.stringify(next));
    } catch {
      // Kept in memory.
    }
    for (const listener of listeners) listener();
  };
  const without = (commandId: string): readonly PendingCommand[] => commands.filter((command) => command.commandId !== commandId);
  return {
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    read: () => commands,
    find: (commandId) => commands.find((command) => command.commandId === commandId),
    write: (command) => {
      const isKnown = commands.some(({ commandId }) => commandId === command.commandId);
      change(isKnown ? commands.map((old) => (old.commandId === command.commandId ? command : old)) : [...commands, command]);
    },
    remove: (commandId) => change(without(commandId)),
  };
}

/** The page was closed before an answer came, so each of these may have been taken. */
function restore(storage: () => Pick<Storage, 'getItem'>, nowMs: number): readonly PendingCommand[] {
  try {
    const stored: unknown = JSON.parse(storage().getItem(place) ?? '[]');
    if (!Array.isArray(stored)) return [];
    return stored
      .filter(isCommand)
      .filter(({ madeAtMs }) => nowMs - madeAtMs < keptMs)
      .map((command) => ({ ...command, isOpen: true }));
  } catch {
    return [];
  }
}

function isCommand(value: unknown): value is PendingCommand {
  if (typeof value !== 'object' || value === null) return false;
  const { commandId, cartId, method, path, body, about, madeAtMs } = value as Record<string, unknown>;
  const texts = [commandId, cartId, method, path, about].every((text) => typeof text === 'string');
  return texts && typeof body === 'object' && body !== null && typeof madeAtMs === 'number';
}
