import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { seedProducts } from './products.seed.ts';

const images = new URL('../../../web/public/images/', import.meta.url);
const twice = (values: readonly string[]): string[] => values.filter((value, at) => values.indexOf(value) !== at);
const wrong = (isRight: (product: (typeof seedProducts)[number]) => boolean): string[] =>
  seedProducts.filter((product) => !isRight(product)).map(({ productId }) => productId);

describe('the seed', () => {
  it('has at least 240 products in at least 8 categories of a dozen or more', () => {
    expect(seedProducts.length).toBeGreaterThanOrEqual(240);
    const sizes = [...Map.groupBy(seedProducts, ({ category }) => category).values()].map(({ length }) => length);
    expect(sizes.length).toBeGreaterThanOrEqual(8);
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(12);
  });
  it('says nothing twice: ids, names, descriptions, and pictures within a category', () => {
    expect(twice(seedProducts.map(({ productId }) => productId))).toEqual([]);
    expect(twice(seedProducts.map(({ name }) => name.toLowerCase()))).toEqual([]);
    expect(twice(seedProducts.map(({ description }) => description))).toEqual([]);
    expect(twice(seedProducts.map(({ category, image }) => `${category} ${image}`))).toEqual([]);
  });
  it('describes each product in two sentences, and names none by a number or a placeholder', () => {
    expect(wrong(({ description }) => description.match(/[.!?](?= |$)/g)?.length === 2 && description.length <= 220)).toEqual([]);
    expect(
      wrong(({ name, description }) => !/lorem|ipsum|product|todo|\bsku\b/i.test(name) && !/lorem|ipsum|todo/i.test(description)),
    ).toEqual([]);
  });
  it('has an id that fits an address, a price, a day and choices for each', () => {
    expect(wrong(({ productId }) => /^[a-z0-9-]{3,64}$/.test(productId) && productId !== 'suggestions')).toEqual([]);
    expect(wrong(({ price, stock }) => Number.isInteger(price) && price >= 500 && Number.isInteger(stock) && stock >= 0)).toEqual([]);
    expect(wrong(({ addedOn }) => new Date(`${addedOn}T00:00:00Z`).toISOString().startsWith(addedOn))).toEqual([]);
    // An address divides a choice at its first colon.
    const names = (options: object): string[] => Object.keys(options);
    expect(wrong(({ options }) => names(options).every((name) => /^[A-Z][a-z]+$/.test(name)))).toEqual([]);
    expect(wrong(({ options }) => Object.values(options).every((values) => values.length > 0 && twice(values).length === 0))).toEqual([]);
  });
  it('has a picture for each, and no picture for none', () => {
    expect(wrong(({ image }) => existsSync(new URL(`${image}.svg`, images)))).toEqual([]);
    const used = new Set(seedProducts.map(({ image }) => `${image}.svg`));
    expect(readdirSync(images).filter((file) => file.endsWith('.svg') && !used.has(file))).toEqual([]);
  });
  it('has some products that are nearly gone and some that are sold out, none of them first in the window', () => {
    expect(seedProducts.filter(({ stock }) => stock > 0 && stock <= 5).length).toBeGreaterThanOrEqual(5);
    expect(seedProducts.filter(({ stock }) => stock === 0).length).toBeGreaterThanOrEqual(5);
    expect(Math.min(...seedProducts.slice(0, 24).map(({ stock }) => stock))).toBeGreaterThan(5);
  });
  it('shows every category in the first row of the window', () => {
    const categories = new Set(seedProducts.map(({ category }) => category));
    expect(new Set(seedProducts.slice(0, categories.size).map(({ category }) => category))).toEqual(categories);
  });
});
