/**
 * A command is its id and a person. Whichever of that person's carts took it, it is one; where another person gives the same id, it is theirs, and
 * another. Here a history is rewritten so that each has a name of its own: `d1.4`, and `d1.4 of p2` for who came later.
 */
import { namesOf, textOf, type Claim, type ShownLine } from './history.terms.ts';
import type { History, Operation } from './history.ts';

/** Whoever the cart is of: a guest's, once it may have been claimed, is of who signed in. */
export const ownerOf = (cart: string, claims: ReadonlyMap<string, Claim>): string => {
  const claim = claims.get(cart);
  return claim === undefined ? cart : `user:${claim.person}`;
};

export function personsApart(history: History, claims: ReadonlyMap<string, Claim>): History {
  const owners = new Map<string, string[]>();
  for (const { input } of history.operations) {
    const name = textOf(input['commandId']);
    if (name === '') continue;
    const owner = ownerOf(textOf(input['cart']), claims);
    const known = owners.get(name) ?? [];
    if (!known.includes(owner)) owners.set(name, [...known, owner]);
  }
  const shared = new Map([...owners].filter(([, its]) => its.length > 1));
  if (shared.size === 0) return history;
  const operations = history.operations.map((operation) => {
    const owner = ownerOf(textOf(operation.input['cart']), claims);
    return renamed(operation, (name) =>
      (shared.get(name)?.indexOf(owner) ?? 0) > 0 ? `${name} of ${owner.slice(owner.indexOf(':') + 1)}` : name,
    );
  });
  return { ...history, operations };
}

function renamed(operation: Operation, nameOf: (name: string) => string): Operation {
  const one = (from: Operation['input'], key: string) => (typeof from[key] === 'string' ? { [key]: nameOf(textOf(from[key])) } : {});
  const all = (from: Operation['input'], key: string) => (Array.isArray(from[key]) ? { [key]: namesOf(from[key])!.map(nameOf) } : {});
  const { input, output } = operation;
  const lines = output?.['lines'];
  return {
    ...operation,
    input: { ...input, ...one(input, 'commandId'), ...one(input, 'looksFor'), ...all(input, 'observed') },
    ...(output !== undefined && {
      output: {
        ...output,
        ...all(output, 'dots'),
        // Of a cart: those of an order have no dots.
        ...(operation.kind === 'read' && {
          lines: (lines as ShownLine[]).map((line) => ({ ...line, ...(line.dots && { dots: line.dots.map(nameOf) }) })),
        }),
      },
    }),
  };
}
