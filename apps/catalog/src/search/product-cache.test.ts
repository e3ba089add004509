import { armFaults, createLogger, type Clock, experimentBelow, troubleAt, undergo, withExperiment } from '@cloakroom/platform';
import { beforeEach, describe, expect, it } from 'vitest';
import type { CachedProduct } from '../products.ts';
import { seedShelf } from './product-cache.fixture.ts';
import { openProductCache, type ProductCache } from './product-cache.ts';

const log = createLogger('test', 'silent');
let nowMs = 0;
let reads = 0;
let read: () => Promise<CachedProduct[]>;
let stocks: () => Promise<ReadonlyMap<string, number>>;
let cache: ProductCache;
const item = seedShelf.items[0]!;
const renamed = (name: string): CachedProduct[] => [{ ...item, product: { ...item.product, name } }];

beforeEach(() => {
  nowMs = 0;
  reads = 0;
  read = async () => [item];
  const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs } as Clock;
  stocks = async () => new Map([[item.product.productId, item.product.stock]]);
  const all = () => {
    reads++;
    return read();
  };
  cache = openProductCache({ all, stocks: () => stocks() }, { clock, log });
});

describe('the product cache', () => {
  it('is read once for all who look within five seconds', async () => {
    await Promise.all([cache.look(), cache.look()]);
    nowMs = 4_999;
    await cache.look();
    expect(reads).toBe(1);
  });
  it('is read outside of every experiment, because others share the read', async () => {
    const trouble = { delayMs: 0, fails: true, losesAnswer: false, oldMs: 0, holds: false };
    armFaults((_point, _at, experiment) => Promise.resolve(experiment === 'ada' ? trouble : undefined));
    read = async () => {
      await undergo(await troubleAt('database', 'catalog', experimentBelow()), () => new Error('a fault is switched on'));
      return [item];
    };
    const looks = ['ada', 'bob'].map((who) => withExperiment(who, () => cache.look()));
    const seen = await Promise.allSettled(looks);
    armFaults(undefined);
    expect(seen.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    expect(reads).toBe(1);
  });
  it('shows, and finds by, what has changed after five seconds', async () => {
    await cache.look();
    read = async () => renamed('Submarine');
    nowMs = 5_000;
    expect((await cache.look()).search.find('submarine')).toEqual([item.product.productId]);
  });
  it('takes a new price and stock without indexing again', async () => {
    const { search } = await cache.look();
    read = async () => [{ ...item, product: { ...item.product, price: 1n, stock: 0 } }];
    nowMs = 5_000;
    const later = await cache.look();
    expect(later.items[0]!.product).toMatchObject({ price: 1n, stock: 0 });
    expect(later.search).toBe(search);
  });
  it('shows stock that is a second old at most, without reading or indexing all', async () => {
    const { search } = await cache.look();
    stocks = async () => new Map([[item.product.productId, 1]]);
    nowMs = 999;
    expect((await cache.look()).items[0]!.product.stock).toBe(item.product.stock);
    nowMs = 1_000;
    const [one, other] = await Promise.all([cache.look(), cache.look()]);
    expect([one.items[0]!.product.stock, other.items[0]!.product.stock]).toEqual([1, 1]);
    expect(one.search).toBe(search);
    expect(reads).toBe(1);
    stocks = () => Promise.reject(new Error('away'));
    nowMs = 2_000;
    expect((await cache.look()).items[0]!.product.stock).toBe(1);
  });
  it('is read whole five seconds after it was, however often its stock was read meanwhile', async () => {
    for (nowMs = 0; nowMs <= 5_000; nowMs += 500) await cache.look();
    expect(reads).toBe(2);
  });
  it('shows what it had while the database is away, and asks again five seconds later', async () => {
    await cache.look();
    read = () => Promise.reject(new Error('away'));
    nowMs = 5_000;
    expect((await cache.look()).items).toEqual([item]);
    await cache.look();
    expect(reads).toBe(2);
    read = async () => renamed('Submarine');
    nowMs = 10_000;
    expect((await cache.look()).items[0]!.product.name).toBe('Submarine');
  });
  it('fails while it was never read, and is read at the next look', async () => {
    read = () => Promise.reject(new Error('away'));
    await expect(cache.look()).rejects.toThrow('away');
    read = async () => [item];
    expect((await cache.look()).items).toEqual([item]);
  });
});
