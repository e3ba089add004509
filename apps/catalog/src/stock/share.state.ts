/**
 * The share of a region that does not decide about the stock: what `products` holds here. One transfer is under way at a time, and its row is written
 * before it is sent. So a crash, a lost answer or a cut leaves a row that is sent again, and the decider moves nothing twice.
 */
import type { Kysely, Selectable, Transaction } from 'kysely';
import { type CatalogSchema, stocksNow } from '../products.ts';
import { giveBack, takeOne, type StockLine } from './reservations.ts';
import { type ShareTables, slot } from './share.tables.ts';

type Database = Kysely<CatalogSchema>;
export type OwnShare = Selectable<ShareTables['own_share']>;

/** A region keeps one in so many of what it and the decider have together. */
const shareDivisor = 4;

/** A database that never was a share begins with nothing: whatever stock it had was its own count. */
export async function openOwnShare(db: Database, newId: () => string): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const row = { slot, share_id: newId(), ledger_id: '', number: 0, open: 0, wanted: '[]', returned: '[]' };
    const { numInsertedOrUpdatedRows } = await trx
      .insertInto('own_share')
      .values(row)
      .onConflict((conflict) => conflict.column('slot').doNothing())
      .executeTakeFirstOrThrow();
    if (numInsertedOrUpdatedRows === 1n) await forget(trx);
  });
}

export const readOwnShare = (db: Database): Promise<OwnShare> => db.selectFrom('own_share').selectAll().executeTakeFirstOrThrow();

/** Begins from nothing at another ledger: the decider that gave this share lost its data, and counts what it gave as its own again. */
export async function adoptLedger(db: Database, { share_id }: OwnShare, ledgerId: string, newId: () => string): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const { numUpdatedRows } = await trx
      .updateTable('own_share')
      .set({ ledger_id: ledgerId, share_id: newId(), number: 0, open: 0, wanted: '[]', returned: '[]' })
      // Another replica may have begun anew meanwhile.
      .where('share_id', '=', share_id)
      .executeTakeFirstOrThrow();
    if (numUpdatedRows === 1n) await forget(trx);
  });
}

/** An order that holds stock of the old count keeps it, and gives none back into the new one. */
async function forget(trx: Transaction<CatalogSchema>): Promise<void> {
  // Reservations first, as orders lock them.
  await trx.updateTable('reservations').set({ state: 'closed' }).where('state', '=', 'taken').execute();
  await trx.updateTable('products').set({ stock: 0 }).execute();
}

/** The decider's stock, and the stock that orders here miss, by product. */
export interface Situation {
  readonly left: ReadonlyMap<string, number>;
  readonly missing: ReadonlyMap<string, number>;
}

/** Pure. The decider must be able to sell its last one: a share of more than twice its part goes back, and all above its part where nothing is left. */
export function planTransfer(
  shares: ReadonlyMap<string, number>,
  { left, missing }: Situation,
): Record<'wanted' | 'returned', StockLine[]> {
  const plan: Record<'wanted' | 'returned', StockLine[]> = { wanted: [], returned: [] };
  for (const [productId, share] of shares) {
    const rest = left.get(productId) ?? 0;
    const part = Math.floor((share + rest) / shareDivisor);
    const needed = missing.get(productId) ?? 0;
    const wanted = needed + Math.max(0, part - share);
    if (wanted > 0) plan.wanted.push({ productId, quantity: wanted });
    else if (share > 2 * part || (rest === 0 && share > part)) plan.returned.push({ productId, quantity: share - part });
  }
  return plan;
}

/** @returns the share, with its transfer open if there is something to move or another replica has one open */
export async function beginTransfer(db: Database, situation: Situation): Promise<OwnShare> {
  return db.transaction().execute(async (trx) => {
    const plan = planTransfer(await stocksNow(trx), situation);
    // An order may not have taken yet what came for it, and another order must not send it back.
    if (situation.missing.size > 0) plan.returned = [];
    if (plan.wanted.length + plan.returned.length === 0) return readOwnShare(trx);
    // It locks the row before any product, as every transfer does.
    const { numUpdatedRows } = await trx
      .updateTable('own_share')
      .set((row) => ({ number: row('number', '+', 1), open: 1, wanted: JSON.stringify(plan.wanted), returned: '[]' }))
      .where('open', '=', 0)
      .executeTakeFirstOrThrow();
    if (numUpdatedRows === 1n && plan.returned.length > 0) {
      const returned: StockLine[] = [];
      for (const line of plan.returned.toSorted(byId)) if (await takeOne(trx, line)) returned.push(line);
      await trx
        .updateTable('own_share')
        .set({ returned: JSON.stringify(returned) })
        .execute();
    }
    return readOwnShare(trx);
  });
}

/** Counts what was granted, once: another replica may have had the same answer. */
export async function settleTransfer(db: Database, { share_id, number }: OwnShare, granted: readonly StockLine[]): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const { numUpdatedRows } = await trx
      .updateTable('own_share')
      .set({ open: 0 })
      .where('share_id', '=', share_id)
      .where('number', '=', number)
      .where('open', '=', 1)
      .executeTakeFirstOrThrow();
    if (numUpdatedRows === 1n) await giveBack(trx, granted.toSorted(byId));
  });
}

const byId = (a: StockLine, b: StockLine): number => (a.productId < b.productId ? -1 : 1);
