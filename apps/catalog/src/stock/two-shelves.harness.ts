/** Two catalogs, where eu decides about the stock and us sells from a share, and what a network between them can do. On whatever database the suite has. */
import { createHash } from 'node:crypto';
import { isProblem, problem, uuidV7 } from '@cloakroom/contracts';
import { createLogger, startTrace } from '@cloakroom/platform';
import { openDatabase } from '@cloakroom/platform/database';
import { freshDatabaseUrl } from '@cloakroom/testing';
import type { Kysely } from 'kysely';
import { type CatalogSchema, expansions, migrations, seed, stocksNow } from '../products.ts';
import { seedProducts } from '../seed/products.seed.ts';
import { releaseStock } from './release-stock.ts';
import type { StockLine } from './reservations.ts';
import { reserveFromShare } from './reserve-from-share.ts';
import { reserveStock } from './reserve-stock.ts';
import { readOwnShare } from './share.state.ts';
import { type ShareParts, StockShare } from './stock-share.ts';
import { transferStock } from './transfer-stock.ts';

export type Database = Kysely<CatalogSchema>;
type Sent = Parameters<ShareParts['transferStock']>[1];

const startMs = 1_790_000_000_000;
const log = createLogger('test', 'silent');
/** An order waits for the decider so long at most. No history takes so long. */
const patienceMs = 600_000;
let drawn = 0;
export const newId = (): string => uuidV7(startMs, createHash('sha512').update(`id ${++drawn}`).digest().subarray(0, 10));

/** Three products are enough to be short of one, and quick enough for many histories. */
export const sold = seedProducts
  .slice(0, 3)
  .map(({ productId }) => productId)
  .toSorted();

/** lost: the request dies. unanswered: eu takes it, and the answer dies. repeated: eu takes it twice, and an earlier one once more. */
export type Weather = 'open' | 'lost' | 'unanswered' | 'repeated';

export class TwoShelves {
  weather: Weather = 'open';
  readonly eu: Database;
  readonly us: Database;
  /** Replaced by `restartUs`. */
  share!: StockShare;
  readonly #sent: Sent[] = [];
  nowMs = startMs;

  private constructor(eu: Database, us: Database) {
    this.eu = eu;
    this.us = us;
  }

  static async open(stock: readonly number[]): Promise<TwoShelves> {
    const shelves = new TwoShelves(await openShelf(true), await openShelf(false));
    await shelves.put(stock);
    await shelves.restartUs();
    return shelves;
  }

  /** A first day for the same two databases: opening one takes longer than a history. */
  async renew(stock: readonly number[]): Promise<void> {
    this.weather = 'open';
    this.#sent.length = 0;
    for (const db of [this.eu, this.us])
      for (const table of ['reservations', 'stock_ledger', 'stock_shares', 'own_share'] as const) await db.deleteFrom(table).execute();
    await this.us.updateTable('products').set({ stock: 0 }).execute();
    await this.put(stock);
    await this.restartUs();
  }

  async put(stock: readonly number[]): Promise<void> {
    for (const [i, productId] of sold.entries())
      await this.eu.updateTable('products').set({ stock: stock[i] }).where('product_id', '=', productId).execute();
  }

  /** eu loses its data, and counts anew. */
  async loseEu(stock: readonly number[]): Promise<void> {
    for (const table of ['reservations', 'stock_ledger', 'stock_shares'] as const) await this.eu.deleteFrom(table).execute();
    await this.put(stock);
  }

  /** Loses the memory of the process, as a kill does. */
  async restartUs(): Promise<void> {
    this.share = await StockShare.open({
      db: this.us,
      transferStock: (_call, request) => this.#carry(request),
      clock: { nowMs: () => this.nowMs, monotonicMs: () => this.nowMs },
      log,
      newId,
      newTrace: () => startTrace((count) => Buffer.alloc(count, 1)),
    });
  }

  async #carry(request: Sent) {
    if (this.weather === 'lost') return problem('connection_lost');
    const deliver = (each: Sent) => transferStock(this.eu, each, { newId, nowMs: this.nowMs });
    const answer = await deliver(request);
    if (this.weather === 'repeated') for (const late of [request, ...this.#sent.slice(-3)]) await deliver(late);
    if (!isProblem(answer)) this.#sent.push(request);
    return this.weather === 'unanswered' ? problem('deadline_exceeded') : answer;
  }

  /** Beside the order the share works, as it does in the process. */
  async buyInUs(orderId: string, items: readonly StockLine[]) {
    let ended = false;
    const forEver = Number.MAX_SAFE_INTEGER;
    const parts = { db: this.us, share: this.share, nowMs: this.nowMs, waitMaxMs: patienceMs };
    const answer = reserveFromShare(parts, { orderId, items }, () => forEver).finally(() => (ended = true));
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      if (ended) return answer;
      if (this.share.isAsked) await this.share.round();
    }
  }

  buyInEu = (orderId: string, items: readonly StockLine[]) => reserveStock(this.eu, { orderId, items }, this.nowMs);
  cancelInUs = (orderId: string) => releaseStock(this.us, { orderId }, this.nowMs);
  cancelInEu = (orderId: string) => releaseStock(this.eu, { orderId }, this.nowMs);

  left = async (db: Database): Promise<number[]> => {
    const stocks = await stocksNow(db);
    return sold.map((productId) => stocks.get(productId)!);
  };

  /** The stock that orders hold. */
  async held(db: Database): Promise<number[]> {
    const rows = await db.selectFrom('reservations').select('items').where('state', '=', 'taken').execute();
    return sums(rows.flatMap(({ items }) => JSON.parse(items) as StockLine[]));
  }

  /** The stock that has left one side and has not come to the other. */
  async underWay(): Promise<number[]> {
    const share = await readOwnShare(this.us);
    if (share.open === 0) return sums([]);
    const there = await this.eu.selectFrom('stock_shares').selectAll().where('share_id', '=', share.share_id).executeTakeFirst();
    return sums(JSON.parse(there?.number === share.number ? there.granted : share.returned) as StockLine[]);
  }

  /** Everything that there is of each product, wherever it is. */
  async total(): Promise<number[]> {
    const parts = await Promise.all([this.left(this.eu), this.left(this.us), this.held(this.eu), this.held(this.us), this.underWay()]);
    return sold.map((_, i) => parts.reduce((sum, part) => sum + part[i]!, 0));
  }

  async close(): Promise<void> {
    await this.share.stop();
    await Promise.all([this.eu.destroy(), this.us.destroy()]);
  }
}

async function openShelf(counts: boolean): Promise<Database> {
  const db = await openDatabase<CatalogSchema>(await freshDatabaseUrl(), migrations, { name: 'catalog', log, expansions });
  await seed(
    db,
    seedProducts.filter(({ productId }) => sold.includes(productId)),
    counts,
  );
  return db;
}

const sums = (lines: readonly StockLine[]): number[] =>
  sold.map((productId) => lines.filter((line) => line.productId === productId).reduce((sum, { quantity }) => sum + quantity, 0));

export const of = (...quantities: number[]): StockLine[] =>
  sold.flatMap((productId, i) => ((quantities[i] ?? 0) > 0 ? [{ productId, quantity: quantities[i]! }] : []));
