/** Shows on every page the commands whose outcome is unknown, and asks for them until it is known. */
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useSyncExternalStore } from 'react';
import { useLocation } from 'react-router';
import { applyTaken } from './cart.ts';
import { isOf, type Asked } from '../api/outbox.ts';
import type { PendingCommand } from '../api/pending-store.ts';
import { droppedWords, keptWords, ownerOf, pendingWords, refusedWords, takenWords } from './pending-words.ts';
import { inRounds } from './rounds.ts';
import { productPath } from '../products/product-card.tsx';
import { identityOf } from '../session/session-notice.ts';
import { useSession } from '../session/session.tsx';
import { keys, useApi } from '../api/shop.tsx';
import { useToast } from '../components/toasts.tsx';

/** This person's commands whose outcome is unknown. */
export function usePending(): readonly PendingCommand[] {
  const { pending } = useApi();
  const { session } = useSession();
  const owner = ownerOf(session);
  return useSyncExternalStore(pending.subscribe, pending.read).filter((command) => command.isOpen && isOf(command, owner));
}

/** Stands in the frame of all pages, and in the drawer, which hides that frame. @param whole also shows what a product's page says beside its button */
export function PendingNotes({ whole = false }: { readonly whole?: boolean }) {
  const { doubts } = useApi();
  const { pathname } = useLocation();
  const commands = usePending().filter(({ productId }) => whole || productId === undefined || productPath(productId) !== pathname);
  const askedAgain = useSyncExternalStore(doubts.subscribe, doubts.askedAgain);
  return (
    <div aria-live="polite" className="pending">
      {commands.map((command) => (
        <PendingNote key={command.commandId} command={command} />
      ))}
      {askedAgain > 0 && <p className="note notice">Not sure yet whether your change was taken. Still asking; it counts once.</p>}
    </div>
  );
}

export function PendingNote({ command }: { readonly command: PendingCommand }) {
  const { outbox } = useApi();
  const { commandId, about, stopped } = command;
  return (
    <div className="note notice">
      <p>{pendingWords(command)}</p>
      {stopped && (
        <div className="row">
          <button type="button" aria-label={`Ask again about ${about}`} onClick={() => outbox.askOn(commandId)}>
            Ask again
          </button>
          <button type="button" className="plain" aria-label={`Stop asking about ${about}`} onClick={() => outbox.letGo(commandId)}>
            Let it be
          </button>
        </div>
      )}
    </div>
  );
}

/** Asks for open commands, tells the person each outcome, and notices when another person comes. The frame uses it once. */
export function useAskForPending(): void {
  const { outbox } = useApi();
  const report = useReport();
  const isWaiting = usePending().some(({ stopped }) => !stopped);
  useFollowPerson();
  useEffect(() => {
    if (!isWaiting) return undefined;
    return inRounds(async () => (await outbox.ask()).forEach((one) => report.current(one)));
  }, [isWaiting, outbox, report]);
}

function useReport() {
  const queryClient = useQueryClient();
  const toast = useToast();
  const report = (asked: Asked): void => {
    const { about } = asked.command;
    if ('accepted' in asked) applyTaken(queryClient, asked.command, asked.accepted);
    toast({ text: 'accepted' in asked ? takenWords(about) : refusedWords(about, asked.refused.message) });
    for (const queryKey of [keys.cart, keys.preview]) void queryClient.invalidateQueries({ queryKey });
  };
  const latest = useRef(report);
  useEffect(() => void (latest.current = report));
  return latest;
}

function useFollowPerson(): void {
  const { outbox, pending, doubts } = useApi();
  const { session } = useSession();
  const toast = useToast();
  const identity = session && `${identityOf(session)} ${session.cartId ?? ''}`;
  const before = useRef(identity);
  useEffect(() => {
    if (identity === undefined || identity === before.current) return;
    const wasHere = before.current;
    before.current = identity;
    const dropped = outbox.follow();
    if (dropped.length > 0) toast({ text: droppedWords(dropped.length) });
    if (wasHere === undefined) return;
    doubts.forget();
    const kept = pending.read().filter(({ cartId, isOpen }) => isOpen && wasHere === `user:${cartId} ${cartId}`).length;
    if (kept > 0) toast({ text: keptWords(kept) });
  }, [identity, outbox, pending, doubts, toast]);
}
