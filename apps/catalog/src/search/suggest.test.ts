import { isProblem } from '@cloakroom/contracts';
import { describe, expect, it } from 'vitest';
import { fixedProductCache } from './product-cache.fixture.ts';
import { suggest, type Suggestions } from './suggest.ts';

const of = async (query: string): Promise<Suggestions> => {
  const answer = await suggest(fixedProductCache, { query });
  if (isProblem(answer)) throw new Error(answer.detail);
  return answer;
};
const names = ({ products }: Suggestions): string[] => products.map(({ name }) => name);

describe('suggest', () => {
  it('says nothing before something is typed', async () => {
    expect(await of('')).toEqual({ products: [], categories: [] });
    expect(await of('  ')).toEqual({ products: [], categories: [] });
  });
  it('follows a word as it is typed, from its first letter to its last', async () => {
    for (let length = 1; length <= 'accordion'.length; length++) {
      const typed = 'accordion'.slice(0, length);
      const answer = await of(typed);
      expect(answer.products.length, `typed ${typed}`).toBeGreaterThan(0);
      expect(answer.products.length, `typed ${typed}`).toBeLessThanOrEqual(6);
      expect(answer.categories.length, `typed ${typed}`).toBeLessThanOrEqual(3);
    }
    expect(names(await of('accor'))).toEqual(['Small button accordion']);
  });
  it('names products whose name begins so, before others', async () => {
    expect(names(await of('rain')).slice(0, 1)).toEqual(['Long rain parka']);
    expect(names(await of('teap'))).toEqual(['Stoneware teapot']);
  });
  it('forgives a wrong letter', async () => {
    expect(names(await of('acordion'))).toEqual(['Small button accordion']);
  });
  it.each([
    ['coa', 'Coats'],
    ['kitch', 'Kitchen'],
    ['statoinery', 'Stationery'],
    ['shoes', 'Shoes'],
  ])('%j means the category %s first', async (query, category) => {
    expect((await of(query)).categories[0]).toBe(category);
  });
  it('names the categories of what it found when no category is called so', async () => {
    expect((await of('umbrella')).categories).toContain('Accessories');
  });
  it('finds what is only described when nothing is called so', async () => {
    expect(names(await of('regattas'))).toContain('Straw boater');
  });
  it('says no more of a product than the list below a search field shows', async () => {
    expect((await of('loden')).products).toEqual([
      { productId: 'loden-coat', name: 'Loden coat', category: 'Coats', image: '/images/coat-forest.svg' },
    ]);
  });
  it('is empty where nothing is meant', async () => {
    expect(await of('xylophonist')).toEqual({ products: [], categories: [] });
  });
  it('refuses more than 100 characters', async () => {
    expect(await suggest(fixedProductCache, { query: 'x'.repeat(101) })).toMatchObject({ problem: 'invalid_request' });
  });
});
