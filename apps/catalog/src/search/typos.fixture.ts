/** Common typing slips: one letter swapped with its neighbour, dropped, doubled or wrong. */
export const slips = {
  swapped: (word, place, _letter) =>
    place + 1 < word.length && word[place] !== word[place + 1]
      ? word.slice(0, place) + word[place + 1]! + word[place]! + word.slice(place + 2)
      : undefined,
  dropped: (word, place, _letter) => word.slice(0, place) + word.slice(place + 1),
  doubled: (word, place, _letter) => word.slice(0, place + 1) + word.slice(place),
  wrong: (word, place, letter) => (letter === word[place] ? undefined : word.slice(0, place) + letter + word.slice(place + 1)),
} satisfies Record<string, (word: string, place: number, letter: string) => string | undefined>;

export type Slip = keyof typeof slips;

/** Numbers from 0 to below 1, the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
