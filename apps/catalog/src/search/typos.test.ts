import { isProblem, Sort } from '@cloakroom/contracts';
import { describe, expect, it } from 'vitest';
import { listProducts } from './list-products.ts';
import { seedProducts } from '../seed/products.seed.ts';
import { fixedProductCache } from './product-cache.fixture.ts';
import { seeded, type Slip, slips } from './typos.fixture.ts';
import { fileTypos } from './typos.ts';

const all = { category: '', page: 0, pageSize: 0, sort: Sort.UNSPECIFIED, options: [], priceMin: 0n, priceMax: 0n, inStock: false };
const listed = async (query: string): Promise<{ id: string; name: string }[]> => {
  const page = await listProducts(fixedProductCache, { ...all, query });
  if (isProblem(page)) throw new Error(page.detail);
  return page.items.map(({ productId, name }) => ({ id: productId, name }));
};
const onFirstPage = async (query: string, productId: string): Promise<boolean> => (await listed(query)).some(({ id }) => id === productId);

const letters = 'a b c d e f g h i j k l m n o p q r s t u v w x y z'.split(' ');
const typoCount = 50;
const wordLengthMin = 4;
/**
 * A fixed seed gives a fixed result. Another seed found the product for 97.6 % of 4,000 typos. A miss is nearly always a slip that makes another word
 * of the shop.
 */
const seed = 20_261_127;
const random = seeded(seed);
const oneOf = <T>(many: readonly T[]): T => many[Math.floor(random() * many.length)]!;

/** Draws a word that finds its product when typed right. "cotton" would not do: sixty products have it. */
async function drawWord(): Promise<{ productId: string; word: string }> {
  for (;;) {
    const { productId, name, category, description } = oneOf(seedProducts);
    const words = `${name} ${category} ${description}`.match(/\p{L}+/gu)!.filter((word) => word.length >= wordLengthMin);
    const word = oneOf(words).toLowerCase();
    if (await onFirstPage(word, productId)) return { productId, word };
  }
}

async function drawTypo(slip: Slip): Promise<{ productId: string; word: string; typed: string }> {
  for (;;) {
    const { productId, word } = await drawWord();
    const typed = slips[slip](word, Math.floor(random() * word.length), oneOf(letters));
    if (typed !== undefined) return { productId, word, typed };
  }
}

it(`95 of 100 mistyped words find the product on the first page (seed ${seed})`, async () => {
  const missed: string[] = [];
  for (const slip of Object.keys(slips) as Slip[]) {
    for (let i = 0; i < typoCount; i += 1) {
      const { productId, word, typed } = await drawTypo(slip);
      if (!(await onFirstPage(typed, productId))) missed.push(`${slip}: ${word} as ${typed}`);
    }
  }
  const total = typoCount * Object.keys(slips).length;
  console.log(`seed ${seed}: ${total - missed.length} of ${total} typos found the product; missed: ${missed.join(', ')}`);
  expect(missed.length, `missed: ${missed.join(', ')}`).toBeLessThanOrEqual(total * 0.05);
});

describe('a mistyped word', () => {
  it.each([
    ['scraf', 'Lambswool scarf'],
    ['scarfe', 'Lambswool scarf'],
    ['scarves', 'Lambswool scarf'],
    ['scavres', 'Lambswool scarf'],
    ['scarve', 'Lambswool scarf'],
    ['umbrelals', 'Storm umbrella'],
    ['ketlte', 'Campfire kettle'],
  ])('%j finds the %s first', async (query, name) => {
    expect((await listed(query))[0]?.name).toBe(name);
  });
  it('never comes before the word as it was typed', async () => {
    for (const word of ['coat', 'boot', 'bag', 'wool', 'tea', 'ring'])
      for (const { name } of (await listed(word)).slice(0, 3)) expect(name.toLowerCase(), `for ${word}`).toContain(word);
  });
  it('lets a word that the shop has mean itself alone', async () => {
    const boots = await listed('boot');
    expect(boots.length).toBeGreaterThan(0);
    expect(boots.some(({ name }) => /book/i.test(name))).toBe(false);
  });
  it('finds nothing when it is more than a slip away', async () => {
    expect(await listed('xqzw')).toEqual([]);
  });
});

describe('fileTypos', () => {
  const { meantBy } = fileTypos(new Map(['scarf', 'coat', 'tea', 'knives'].map((word) => [word, word === 'knives' ? 'knife' : word])));
  it('knows each of the four slips, and a letter too many', () => {
    for (const typed of ['scraf', 'scrf', 'scaarf', 'sxarf', 'scarfx', 'carf', 'csarf'])
      expect(meantBy(typed), `typed ${typed}`).toEqual(['scarf']);
  });
  it('tells the term that stands for a spelling', () => expect(meantBy('knievs')).toEqual(['knife']));
  it('forgives no second slip', () => {
    for (const typed of ['csraf', 'cafr', 'scxrg', 'frasc', 'oatc']) expect(meantBy(typed), `typed ${typed}`).toEqual([]);
  });
  it('leaves words of three letters as they are', () => expect(meantBy('tee')).toEqual([]));
});
