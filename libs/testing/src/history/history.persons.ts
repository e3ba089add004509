/**
 * A command is its id and a person. It is one command, whichever of that person's carts took it. The same id from
 * another person is another command. This file rewrites a history so that each command has its own name: `d1.4`, and
 * `d1.4 of p2` for the person who used the id later.
 */
import { namesOf, textOf, type Claim, type ShownLine } from './history.terms.ts';
import type { History, Operation } from './history.ts';

/** The owner of a cart. A guest's cart that may have been claimed belongs to the user who signed in. */
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
        // Only for dots of a cart: lines of an order have no dots.
        ...(operation.kind === 'read' && {
          lines: (lines as ShownLine[]).map((line) => ({ ...line, ...(line.dots && { dots: line.dots.map(nameOf) }) })),
        }),
      },
    }),
  };
}
