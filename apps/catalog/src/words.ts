/** How words are made comparable: case, accents, umlauts, plural, and words that say nothing. */

const sayNothing = new Set(['a', 'an', 'and', 'at', 'by', 'for', 'from', 'in', 'is', 'it', 'of', 'on', 'or', 'that', 'the', 'to', 'with']);
/** Letters that Unicode does not take apart. */
const letters: Readonly<Record<string, string>> = { ß: 'ss', ø: 'o', æ: 'ae', œ: 'oe', ł: 'l', đ: 'd', ð: 'd', þ: 'th' };
/** As they are written where the keyboard has no umlauts. */
const spelledOut: Readonly<Record<string, string>> = { ä: 'ae', ö: 'oe', ü: 'ue', å: 'aa', ø: 'oe' };

/** A word of a product, in each spelling that it is looked for by: "Müsli" as musli and as muesli. */
export function foldShopWord(word: string): string[] | null {
  const lower = word.normalize('NFC').toLowerCase();
  if (sayNothing.has(lower)) return null;
  return [...new Set([lower, lower.replaceAll(/[äöüåø]/g, (letter) => spelledOut[letter]!)].map(fold))];
}

export function foldQueryWord(word: string): string | null {
  return sayNothing.has(word.toLowerCase()) ? null : foldTypedWord(word);
}

/** A word that may not be finished: "in" may become "index". */
export function foldTypedWord(word: string): string {
  return fold(word.normalize('NFC').toLowerCase());
}

function fold(lower: string): string {
  const plain = lower
    .replaceAll(/[ßøæœłđðþ]/g, (letter) => letters[letter]!)
    .normalize('NFD')
    .replaceAll(/\p{M}/gu, '');
  return singular(plain);
}

/** English plurals as far as a shop has them; the same on both sides, so that a wrong singular harms nobody. */
function singular(word: string): string {
  if (word.length > 4 && word.endsWith('ies')) return `${word.slice(0, -3)}y`;
  if (word.length > 3 && /[^siu]s$/.test(word)) return word.slice(0, -1);
  return word;
}
