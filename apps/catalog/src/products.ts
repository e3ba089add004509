/** The products in the service's own database, and the seed that fills it. */
import type { Product } from '@cloakroom/contracts';
import type { Kysely, Selectable } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { SeedProduct } from './seed/products.seed.ts';
import { addShares, type ShareTables } from './stock/share.tables.ts';

interface ProductTable {
  product_id: string;
  /** The order of the shop window. */
  position: number;
  name: string;
  description: string;
  category: string;
  /** Minor units. */
  price: number;
  currency: string;
  /** JSON: [{ name, values }]. Text, so that SQLite and PostgreSQL store the same bytes. */
  options: string;
  stock: number;
  image: string;
  /** yyyy-mm-dd, text for the same reason. */
  added_on: string;
  /** The content that the seed last wrote here, in the form of `contentOf`. Null: written by a version that did not note it. */
  seeded: string | null;
}

/** Each row says which order holds which stock: see stock/reservations.ts. */
export interface ReservationTable {
  order_id: string;
  /** `taken`: its stock is out of `products`. `short`: it got nothing. `closed`: it holds nothing and never will again. */
  state: 'taken' | 'short' | 'closed';
  /** JSON: [{ productId, quantity }], by product id. */
  items: string;
  /** The same, for the products of which there was too little. */
  short: string;
  changed_at_ms: number;
}

export interface CatalogSchema extends ShareTables {
  products: ProductTable;
  reservations: ReservationTable;
}

export type CatalogProduct = Omit<Product, '$typeName' | 'options' | '$unknown'> & {
  readonly options: { readonly name: string; readonly values: string[] }[];
};

/** A product with the values that the shop sorts by. */
export interface CachedProduct {
  readonly product: CatalogProduct;
  readonly position: number;
  /** yyyy-mm-dd */
  readonly addedOn: string;
}

export const migrations: Readonly<Record<string, Migration>> = {
  '001-products': {
    up: (db: Kysely<unknown>) =>
      db.schema
        .createTable('products')
        .addColumn('product_id', 'text', (column) => column.primaryKey())
        .addColumn('position', 'integer', (column) => column.notNull())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('description', 'text', (column) => column.notNull())
        .addColumn('category', 'text', (column) => column.notNull())
        .addColumn('price', 'integer', (column) => column.notNull())
        .addColumn('currency', 'text', (column) => column.notNull())
        .addColumn('options', 'text', (column) => column.notNull())
        .addColumn('stock', 'integer', (column) => column.notNull())
        .addColumn('image', 'text', (column) => column.notNull())
        .execute(),
  },
  // One column per statement: SQLite takes no more.
  '002-added-and-seeded': {
    up: async (db: Kysely<unknown>) => {
      await db.schema
        .alterTable('products')
        .addColumn('added_on', 'text', (column) => column.notNull().defaultTo('2024-09-02'))
        .execute();
      await db.schema.alterTable('products').addColumn('seeded', 'text').execute();
    },
  },
  '003-reservations': {
    up: (db: Kysely<unknown>) =>
      db.schema
        .createTable('reservations')
        .addColumn('order_id', 'text', (column) => column.primaryKey())
        .addColumn('state', 'text', (column) => column.notNull())
        .addColumn('items', 'text', (column) => column.notNull())
        .addColumn('short', 'text', (column) => column.notNull())
        .addColumn('changed_at_ms', 'bigint', (column) => column.notNull())
        .execute(),
  },
};

/** Additions that an older build ignores, so that it still starts beside this one, or after it. */
export const expansions: Readonly<Record<string, Migration>> = { '0001_shares': { up: addShares } };

type Content = Omit<ProductTable, 'product_id' | 'position' | 'stock' | 'seeded'>;

/** Everything that the seed may change of an existing product, as one text to compare. */
function contentOf(row: Content): string {
  return JSON.stringify([row.name, row.description, row.category, row.price, row.currency, row.options, row.image, row.added_on]);
}

/**
 * The seed adds new products. It updates an existing product as a whole if the product still is what the seed last wrote. A person who changed a word
 * or the price owns the whole product from then on.
 *
 * Stock belongs to the shop from the first day, and the order of the window always belongs to the seed. A product that the seed has dropped stays,
 * since carts may hold it. Rows of a version that noted nothing count as unchanged.
 *
 * @param counts false where another region decides about the stock: a new product begins with none here
 */
export async function seed(db: Kysely<CatalogSchema>, products: readonly SeedProduct[], counts = true): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    const present = new Map((await transaction.selectFrom('products').selectAll().execute()).map((row) => [row.product_id, row]));
    // Sorted by id, as orders take stock: a replica that starts while the other sells must not deadlock with it.
    const wanted = products.map(seedRow).toSorted((a, b) => (a.product_id < b.product_id ? -1 : 1));
    const missing = wanted.filter((row) => !present.has(row.product_id));
    // Another replica may insert the same products at this moment.
    if (missing.length > 0)
      await transaction
        .insertInto('products')
        .values(counts ? missing : missing.map((row) => ({ ...row, stock: 0 })))
        .onConflict((conflict) => conflict.column('product_id').doNothing())
        .execute();
    for (const { product_id, stock: _, ...row } of wanted) {
      const there = present.get(product_id);
      if (there === undefined) continue;
      const unchanged = there.seeded === null || there.seeded === contentOf(there);
      const change =
        unchanged && there.seeded !== row.seeded ? row : there.position !== row.position ? { position: row.position } : undefined;
      if (change !== undefined) await transaction.updateTable('products').set(change).where('product_id', '=', product_id).execute();
    }
  });
}

function seedRow(product: SeedProduct, position: number): Selectable<ProductTable> {
  const content = {
    name: product.name,
    description: product.description,
    category: product.category,
    price: product.price,
    currency: 'EUR',
    options: JSON.stringify(Object.entries(product.options).map(([name, values]) => ({ name, values }))),
    image: `/images/${product.image}.svg`,
    added_on: product.addedOn,
  };
  return { product_id: product.productId, position, ...content, stock: product.stock, seeded: contentOf(content) };
}

/** The products come in the order of the shop window. */
export async function allProducts(db: Kysely<CatalogSchema>): Promise<CachedProduct[]> {
  const rows = await db.selectFrom('products').selectAll().orderBy('position').orderBy('product_id').execute();
  return rows.map((row) => ({ product: fromRow(row), position: row.position, addedOn: row.added_on }));
}

/** The stock by product id. */
export async function stocksNow(db: Kysely<CatalogSchema>): Promise<Map<string, number>> {
  const rows = await db.selectFrom('products').select(['product_id', 'stock']).execute();
  return new Map(rows.map((row) => [row.product_id, row.stock]));
}

/** The products come in the order asked for. Unknown ids are left out. */
export async function productsByIds(db: Kysely<CatalogSchema>, ids: readonly string[]): Promise<CatalogProduct[]> {
  if (ids.length === 0) return [];
  const rows = await db.selectFrom('products').selectAll().where('product_id', 'in', ids).execute();
  const byId = new Map(rows.map((row) => [row.product_id, fromRow(row)]));
  return ids.flatMap((id) => byId.get(id) ?? []);
}

function fromRow(row: Selectable<ProductTable>): CatalogProduct {
  return {
    productId: row.product_id,
    name: row.name,
    description: row.description,
    category: row.category,
    price: BigInt(row.price),
    currency: row.currency,
    options: JSON.parse(row.options) as CatalogProduct['options'],
    stock: row.stock,
    image: row.image,
    stockHeardAtMs: 0n,
  };
}
