/** Makes words comparable: folds case, accents, umlauts and plurals, and drops words without meaning for a search. */

const sayNothing = new Set(['a', 'an', 'and', 'at', 'by', 'for', 'from', 'in', 'is', 'it', 'of', 'on', 'or', 'that', 'the', 'to', 'with']);
/** Letters that Unicode does not take apart. */
const letters: Readonly<Record<string, string>> = { ß: 'ss', ø: 'o', æ: 'ae', œ: 'oe', ł: 'l', đ: 'd', ð: 'd', þ: 'th' };
/** Spellings on a keyboard without umlauts. */
const spelledOut: Readonly<Record<string, string>> = { ä: 'ae', ö: 'oe', ü: 'ue', å: 'aa', ø: 'oe' };

/** A word of a product, in each spelling that people search for: "Müsli" as musli and as muesli. */
export function foldShopWord(word: string): string[] | null {
  const lower = word.normalize('NFC').toLowerCase();
  if (sayNothing.has(lower)) return null;
  return [...new Set([lower, lower.replaceAll(/[äöüåø]/g, (letter) => spelledOut[letter]!)].map(fold))];
}

export function foldQueryWord(word: string): string | null {
  return sayNothing.has(word.toLowerCase()) ? null : foldTypedWord(word);
}

/** Folds a word that may be unfinished: "in" may become "index". */
export function foldTypedWord(word: string): string {
  return fold(word.normalize('NFC').toLowerCase());
}

/** The word as typed, in small letters without accents. */
export function plain(word: string): string {
  return word
    .normalize('NFC')
    .toLowerCase()
    .replaceAll(/[ßøæœłđðþ]/g, (letter) => letters[letter]!)
    .normalize('NFD')
    .replaceAll(/\p{M}/gu, '');
}

function fold(lower: string): string {
  return singular(plain(lower));
}

/** Plurals that change a letter: a rule would make "glof" of "gloves". */
const irregular: Readonly<Record<string, string>> = {
  halves: 'half',
  knives: 'knife',
  leaves: 'leaf',
  loaves: 'loaf',
  scarves: 'scarf',
  shelves: 'shelf',
};

/** English plurals as far as a shop has them. Both sides use the same rule, so a wrong singular does no harm. */
function singular(word: string): string {
  const known = Object.hasOwn(irregular, word) ? irregular[word] : undefined;
  if (known !== undefined) return known;
  if (word.length > 4 && word.endsWith('ies')) return `${word.slice(0, -3)}y`;
  if (word.length > 3 && /[^siu]s$/.test(word)) return word.slice(0, -1);
  return word;
}
