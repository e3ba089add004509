/**
 * The decider's side of a transfer: one transaction, so a crash leaves it whole or undone. A share numbers its transfers and sends the next one only
 * after the answer to the last. So the decider remembers one transfer for each share. A repeat of it gets the same grant. An older one that a held
 * network brings late moves nothing.
 */
import { problem, type Problem, type TransferStockRequest, uuidV7Milliseconds } from '@cloakroom/contracts';
import type { Kysely, Transaction } from 'kysely';
import { type CatalogSchema, stocksNow } from '../products.ts';
import { giveBack, stockOf, takeOne, type StockLine } from './reservations.ts';
import { slot } from './share.tables.ts';

export interface Transferred {
  readonly ledgerId: string;
  readonly granted: StockLine[];
  readonly left: StockLine[];
}

/** Far more than a catalog has products. */
const itemCountMax = 10_000;
/** Other buyers may take of a product between the look and the grant. After so many looks it is granted nothing this time. */
const lookCountMax = 3;

interface Asked extends Pick<TransferStockRequest, 'shareId' | 'number' | 'ledgerId'> {
  readonly wanted: readonly StockLine[];
  readonly returned: readonly StockLine[];
}

export async function transferStock(
  db: Kysely<CatalogSchema>,
  request: Asked,
  { newId, nowMs }: { readonly newId: () => string; readonly nowMs: number },
): Promise<Transferred | Problem> {
  const refused = refusal(request);
  if (refused !== undefined) return problem('invalid_request', refused);
  return db.transaction().execute(async (trx) => {
    const ledgerId = await ownLedger(trx, newId);
    const moves = request.number > 0 && request.ledgerId === ledgerId;
    const granted = moves ? await move(trx, request, nowMs) : [];
    if (granted === undefined) return problem('invalid_request', 'number: is not the next');
    const left = [...(await stocksNow(trx))].map(([productId, quantity]) => ({ productId, quantity }));
    return { ledgerId, granted, left };
  });
}

function refusal({ shareId, wanted, returned }: Asked): string | undefined {
  if (uuidV7Milliseconds(shareId) === undefined) return 'shareId: not a UUIDv7';
  const lines = [...wanted, ...returned];
  if (lines.length > itemCountMax) return `items: at most ${itemCountMax}`;
  if (new Set(lines.map(({ productId }) => productId)).size < lines.length) return 'items: each product once';
  return lines.some(({ quantity }) => quantity < 1) ? 'quantity: at least 1' : undefined;
}

async function ownLedger(trx: Transaction<CatalogSchema>, newId: () => string): Promise<string> {
  const known = await trx.selectFrom('stock_ledger').select('ledger_id').executeTakeFirst();
  if (known !== undefined) return known.ledger_id;
  await trx
    .insertInto('stock_ledger')
    .values({ slot, ledger_id: newId() })
    .onConflict((conflict) => conflict.column('slot').doNothing())
    .execute();
  return (await trx.selectFrom('stock_ledger').select('ledger_id').executeTakeFirstOrThrow()).ledger_id;
}

/** @returns undefined for a transfer that is neither the next nor the last one */
async function move(trx: Transaction<CatalogSchema>, request: Asked, nowMs: number): Promise<StockLine[] | undefined> {
  const { shareId, number } = request;
  const asked = JSON.stringify([linesOf(request.wanted), linesOf(request.returned)]);
  await trx
    .insertInto('stock_shares')
    .values({ share_id: shareId, number: 0, asked: '', granted: '[]', changed_at_ms: nowMs })
    .onConflict((conflict) => conflict.column('share_id').doNothing())
    .execute();
  // It locks the row. A repeat that comes meanwhile waits here, and then finds the transfer done.
  const { numUpdatedRows } = await trx
    .updateTable('stock_shares')
    .set({ number, asked, changed_at_ms: nowMs })
    .where('share_id', '=', shareId)
    .where('number', '=', number - 1)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows !== 1n) {
    const last = await trx.selectFrom('stock_shares').selectAll().where('share_id', '=', shareId).executeTakeFirstOrThrow();
    return last.number === number && last.asked === asked ? (JSON.parse(last.granted) as StockLine[]) : undefined;
  }
  const granted = await grant(trx, request);
  await trx
    .updateTable('stock_shares')
    .set({ granted: JSON.stringify(granted) })
    .where('share_id', '=', shareId)
    .execute();
  return granted;
}

/** Products in the order of their ids, as orders take them, so no deadlock is possible. */
async function grant(trx: Transaction<CatalogSchema>, { wanted, returned }: Asked): Promise<StockLine[]> {
  const lines = [...wanted.map((line) => ({ ...line, back: false })), ...returned.map((line) => ({ ...line, back: true }))];
  const granted: StockLine[] = [];
  for (const { productId, quantity, back } of lines.toSorted((a, b) => (a.productId < b.productId ? -1 : 1))) {
    if (back) await giveBack(trx, [{ productId, quantity }]);
    else {
      const got = await takeUpTo(trx, { productId, quantity });
      if (got > 0) granted.push({ productId, quantity: got });
    }
  }
  return granted;
}

async function takeUpTo(trx: Transaction<CatalogSchema>, { productId, quantity }: StockLine): Promise<number> {
  for (let look = 0; look < lookCountMax; look += 1) {
    const most = Math.min(quantity, (await stockOf(trx, productId)) ?? 0);
    if (most === 0) return 0;
    if (await takeOne(trx, { productId, quantity: most })) return most;
  }
  return 0;
}

const linesOf = (lines: readonly StockLine[]) => lines.map(({ productId, quantity }) => [productId, quantity]);
