/**
 * How often a history repeats a command, and in which situations. So a run that never repeated one cannot pass for a run that did. Only
 * well answered repetitions count, in the order in which they were sent.
 */
import { claimsOf } from './history.claims.ts';
import { ownerOf } from './history.persons.ts';
import { namesOf, textOf } from './history.terms.ts';
import type { History, Operation, RepeatKind, Repeats } from './history.ts';

export const repeatKinds: Readonly<Record<RepeatKind, string>> = {
  'lost-answer': 'after an attempt that was not answered',
  'other-gateway': 'at another gateway than the attempt before',
  'sign-in': 'by the user whom the guest that sent it has become',
  'sign-in-taken': 'by such a user, where the guest had been told, or shown, that it was taken',
  'sign-out': 'by the same person, after a sign-out',
  'other-person': 'by another person, as no page does',
};

export function repeatsOf(history: History): Repeats {
  const claims = claimsOf(history);
  const counts = Object.fromEntries(Object.keys(repeatKinds).map((kind) => [kind, 0])) as Record<RepeatKind, number>;
  const signedOut = new Set(
    history.operations.flatMap(({ kind, outcome, input }) => (kind === 'logout' && outcome === 'ok' ? [textOf(input['session'])] : [])),
  );
  const shownTo = new Set(
    history.operations.flatMap(({ kind, input, output }) =>
      kind === 'read' ? (namesOf(output?.['dots']) ?? []).map((name) => `${textOf(input['cart'])} ${name}`) : [],
    ),
  );
  const attempts = new Map<string, Operation[]>();
  for (const operation of history.operations) {
    const { input, kind } = operation;
    const name = textOf(input['commandId']);
    // A device that tries an ended cookie does not repeat as a page does.
    if (name === '' || kind === 'use-ended-session') continue;
    const before = attempts.get(name) ?? [];
    if (operation.outcome === 'ok') for (const one of kindsOf(operation, before)) counts[one]++;
    attempts.set(name, [...before, operation]);
  }
  return counts;

  function* kindsOf(operation: Operation, before: readonly Operation[]): Generator<RepeatKind> {
    const cart = textOf(operation.input['cart']);
    const sent = before.filter(({ outcome }) => outcome !== 'failed');
    if (sent.some(({ outcome }) => outcome === 'unknown')) yield 'lost-answer';
    if (sent.length > 0 && sent.at(-1)!.gateway !== operation.gateway) yield 'other-gateway';
    const asGuest = sent.filter(({ input }) => {
      const claim = claims.get(textOf(input['cart']));
      return claim?.certainty === 'yes' && `user:${claim.person}` === cart;
    });
    if (asGuest.length > 0) yield 'sign-in';
    const wasTaken = ({ outcome, input }: Operation): boolean =>
      outcome === 'ok' || shownTo.has(`${textOf(input['cart'])} ${textOf(input['commandId'])}`);
    if (asGuest.some(wasTaken)) yield 'sign-in-taken';
    const isOfEnded = ({ input }: Operation): boolean => input['cart'] === cart && signedOut.has(textOf(input['session']));
    if (sent.some((one) => isOfEnded(one) && one.input['session'] !== operation.input['session'])) yield 'sign-out';
    if (sent.some(({ input }) => ownerOf(textOf(input['cart']), claims) !== ownerOf(cart, claims))) yield 'other-person';
  }
}

/** @returns the situations that a run has not tried, in words */
export function untriedRepeats(repeats: Repeats, wanted: readonly RepeatKind[] = Object.keys(repeatKinds) as RepeatKind[]): string[] {
  return wanted.filter((kind) => repeats[kind] === 0).map((kind) => `no command was repeated ${repeatKinds[kind]}`);
}
