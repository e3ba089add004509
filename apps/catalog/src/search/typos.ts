/**
 * Finds the words of the shop that a mistyped word may mean: those one slip away. A slip is a letter dropped, doubled or put in, replaced, or swapped
 * with its neighbour. The index itself counts a swap as two edits, so it forgave a swap in long words alone.
 *
 * Two words that are one slip apart share a spelling with at most one letter left out (Garbe, SymSpell). So this index files each word under those
 * spellings once. A look-up then asks once for each letter typed, and does not walk the index.
 */

/**
 * Shorter words have too many neighbours one slip away ("tea", "tee", "ten"). The length is that of the shop's word: the typed one may lack a letter.
 */
const wordLengthMin = 4;
/** A longer word is not filed, since it would cost a spelling per letter. The longest word of a shop is shorter. */
const wordLengthMax = 32;

export interface Typos {
  /** Terms of the index, in the order of filing. `typed` is folded, its plural left as it is. */
  meantBy(typed: string): string[];
}

/** @param spellings from each spelling that people type, folded, to the term that stands for it in the index */
export function fileTypos(spellings: ReadonlyMap<string, string>): Typos {
  const filed = new Map<string, string[]>();
  for (const spelling of spellings.keys()) {
    if (spelling.length < wordLengthMin || spelling.length > wordLengthMax) continue;
    for (const key of [spelling, ...withOneLess(spelling)]) {
      const others = filed.get(key);
      if (others === undefined) filed.set(key, [spelling]);
      else others.push(spelling);
    }
  }
  return {
    meantBy: (typed) => {
      if (typed.length < wordLengthMin - 1 || typed.length > wordLengthMax + 1) return [];
      const near = new Set([typed, ...withOneLess(typed)].flatMap((key) => filed.get(key) ?? []));
      return [...new Set([...near].filter((spelling) => isOneSlip(typed, spelling)).map((spelling) => spellings.get(spelling)!))];
    },
  };
}

function withOneLess(word: string): Set<string> {
  const shorter = new Set<string>();
  for (let place = 0; place < word.length; place += 1) shorter.add(word.slice(0, place) + word.slice(place + 1));
  return shorter;
}

/** Checks the words themselves: two unlike slips also share a spelling with a letter less ("abcd", "bcde"). */
function isOneSlip(typed: string, meant: string): boolean {
  let start = 0;
  while (start < typed.length && typed[start] === meant[start]) start += 1;
  const [a, b] = [typed.slice(start), meant.slice(start)];
  if (a === b || a.slice(1) === b.slice(1)) return true;
  if (a === b.slice(1) || a.slice(1) === b) return true;
  return a[0] === b[1] && a[1] === b[0] && a.slice(2) === b.slice(2);
}
