import { problem, Sort } from '@cloakroom/contracts';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ask, openStage, type Stage } from '../testing/gateway.fixture.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.stop());
afterEach(() => {
  stage.services.catalog.failing = undefined;
});

const list = (search: string) => ask(stage.url, `/api/products?${search}`);
const lastAsked = (method: string) => stage.services.seen.findLast((call) => call.method === method)?.request;

describe('GET /api/products', () => {
  it('hands everything that narrows a list to the catalog', async () => {
    const told = await list(
      'query=wool&category=Coats&sort=-price&option=Size:M&option=Colour:Navy&priceMin=1000&priceMax=30000&inStock=true&page=2&pageSize=5',
    );
    expect(told.status).toBe(200);
    expect(lastAsked('listProducts')).toMatchObject({
      query: 'wool',
      category: 'Coats',
      sort: Sort.PRICE_DESCENDING,
      options: [
        { name: 'Size', value: 'M' },
        { name: 'Colour', value: 'Navy' },
      ],
      priceMin: 1000n,
      priceMax: 30_000n,
      inStock: true,
      page: 2,
      pageSize: 5,
    });
  });
  it('asks for everything when nothing is said', async () => {
    await list('');
    const all = {
      query: '',
      category: '',
      sort: Sort.UNSPECIFIED,
      options: [],
      priceMin: 0n,
      priceMax: 0n,
      inStock: false,
      page: 1,
      pageSize: 20,
    };
    expect(lastAsked('listProducts')).toMatchObject(all);
  });
  it.each([
    ['relevance', Sort.UNSPECIFIED],
    ['price', Sort.PRICE_ASCENDING],
    ['name', Sort.NAME],
    ['newest', Sort.NEWEST],
  ])('knows the order %s', async (sort, expected) => {
    await list(`sort=${sort}`);
    expect(lastAsked('listProducts')).toMatchObject({ sort: expected });
  });
  it('takes one option alone, and a value with a colon, a slash or an accent in it', async () => {
    await list(`option=${encodeURIComponent('Size:S/M')}`);
    expect(lastAsked('listProducts')).toMatchObject({ options: [{ name: 'Size', value: 'S/M' }] });
    await list(`option=${encodeURIComponent('Motif:Crêpe: the film')}`);
    expect(lastAsked('listProducts')).toMatchObject({ options: [{ name: 'Motif', value: 'Crêpe: the film' }] });
  });
  it('answers the page with the facets of all pages, amounts as numbers', async () => {
    const { body } = await list('');
    expect(body).toMatchObject({ total: 2, items: [{ productId: 'cap', price: 1900 }, { productId: 'scarf' }] });
    expect(body.facets).toEqual({
      categories: [
        { value: 'hats', count: 1 },
        { value: 'scarves', count: 1 },
      ],
      options: [{ name: 'Colour', values: [{ value: 'Blue', count: 1 }] }],
      priceMin: 1900,
      priceMax: 2500,
    });
  });
  it.each([
    ['a query of more than 100 characters', `query=${'x'.repeat(101)}`, 'query'],
    ['an order that there is not', 'sort=cheapest', 'sort'],
    ['an option without a value', 'option=Size:', 'option'],
    ['an option without a name', 'option=:M', 'option'],
    ['more than ten options', Array.from({ length: 11 }, () => 'option=Size:M').join('&'), 'option'],
    ['a price that is no number', 'priceMin=cheap', 'priceMin'],
    ['a price below zero', 'priceMax=-1', 'priceMax'],
    ['a price beyond all prices', 'priceMax=100000001', 'priceMax'],
    ['another word than true or false', 'inStock=perhaps', 'inStock'],
  ])('refuses %s, names the field, and asks nobody', async (_what, search, field) => {
    const before = stage.services.seen.length;
    const told = await list(search);
    expect([told.status, told.body.code]).toEqual([400, 'invalid_request']);
    expect(told.body.errors[0].field).toContain(field);
    expect(stage.services.seen).toHaveLength(before);
  });
});

describe('GET /api/products/suggestions', () => {
  it('tells products and categories, and no more of a product than a list shows', async () => {
    const { status, body } = await ask(stage.url, '/api/products/suggestions?query=ca');
    expect(status).toBe(200);
    expect(body.products[0]).toEqual({ productId: 'cap', name: 'Cap', category: 'hats', image: '/images/cap.svg' });
    expect(body.categories).toEqual(['hats']);
    expect(lastAsked('suggest')).toMatchObject({ query: 'ca' });
  });
  it.each(['', '?query=', '?query=%20%20'])('is empty, without asking the catalog, for %j', async (search) => {
    const before = stage.services.seen.length;
    const { status, body } = await ask(stage.url, `/api/products/suggestions${search}`);
    expect([status, body]).toEqual([200, { products: [], categories: [] }]);
    expect(stage.services.seen).toHaveLength(before);
  });
  it('is no product', async () => {
    const { body } = await ask(stage.url, '/api/products/suggestions');
    expect(body).not.toHaveProperty('code');
  });
  it('says what the catalog says when it fails', async () => {
    stage.services.catalog.failing = problem('unavailable');
    const { status, body } = await ask(stage.url, '/api/products/suggestions?query=ca');
    expect([status, body.code]).toEqual([503, 'unavailable']);
  });
  it('refuses more than 100 characters', async () => {
    expect((await ask(stage.url, `/api/products/suggestions?query=${'x'.repeat(101)}`)).status).toBe(400);
  });
  it('begins no session and needs none', async () => {
    expect((await ask(stage.url, '/api/products/suggestions?query=ca')).setCookies).toEqual([]);
  });
});

describe('GET /api/products/{productId}', () => {
  it('asks the catalog for that product alone', async () => {
    const { status, body } = await ask(stage.url, '/api/products/scarf');
    expect([status, body.productId, body.price]).toEqual([200, 'scarf', 2500]);
    expect(lastAsked('getProducts')).toMatchObject({ productIds: ['scarf'] });
  });
  it('answers not_found for one that there is not', async () => {
    expect((await ask(stage.url, '/api/products/anvil')).body.code).toBe('not_found');
  });
});
