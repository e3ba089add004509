/** The cart commands of this tab whose answer is not here yet, kept from before the first try until the outcome is known. */
import type { Method } from './request.ts';

export interface PendingCommand {
  readonly commandId: string;
  /** Whose: of a guest, or of a person. Nobody else may send it. */
  readonly cartId: string;
  readonly method: Method;
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** What it does, for the person: "adding 1 × Top hat, Black". */
  readonly about: string;
  /** What it changes, so that the place where it is shown can say so. */
  readonly productId?: string;
  readonly lineId?: string;
  readonly madeAtMs: number;
  /** Since when it is asked for without being told to. */
  readonly askedSinceMs: number;
  /** A try got no answer: it may or may not have been taken. */
  readonly isOpen: boolean;
  /** The page stopped asking; the person may go on. */
  readonly stopped: boolean;
}

export interface PendingStore {
  readonly subscribe: (listener: () => void) => () => void;
  /** Oldest first; the same array until something changes. */
  readonly read: () => readonly PendingCommand[];
  readonly find: (commandId: string) => PendingCommand | undefined;
  readonly write: (command: PendingCommand) => void;
  readonly remove: (commandId: string) => void;
}

const place = 'pending-commands';
/** Far below the 7 days after which the shop refuses a command id, and longer than anybody wonders about one change of a cart. */
export const keptMs = 24 * 60 * 60_000;

/** @param storage of this tab: a reload finds it again, another tab does not. It may be full or forbidden; then it lasts as long as the page. */
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

/** The page went away before an answer came: each may have been taken. */
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
