/** The shelf: products in the service's own database, and the index over them. */
import type { Product } from '@cloakroom/contracts';
import type { Kysely, Selectable } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { SeedProduct } from './products.seed.ts';

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
}

export interface CatalogSchema {
  products: ProductTable;
}

export type CatalogProduct = Omit<Product, '$typeName' | 'options' | '$unknown'> & {
  readonly options: { readonly name: string; readonly values: string[] }[];
};

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
};

/** Puts products that are not there yet on the shelf. One that is there keeps its price and stock: they are the shop's, no longer the seed's. */
export async function seed(db: Kysely<CatalogSchema>, products: readonly SeedProduct[]): Promise<void> {
  const rows = products.map((product, position) => ({
    product_id: product.productId,
    position,
    name: product.name,
    description: product.description,
    category: product.category,
    price: product.price,
    currency: 'EUR',
    options: JSON.stringify(Object.entries(product.options).map(([name, values]) => ({ name, values }))),
    stock: product.stock,
    image: `/images/${product.image}.svg`,
  }));
  await db
    .insertInto('products')
    .values(rows)
    .onConflict((conflict) => conflict.column('product_id').doNothing())
    .execute();
}

export async function allProducts(db: Kysely<CatalogSchema>): Promise<CatalogProduct[]> {
  const rows = await db.selectFrom('products').selectAll().orderBy('position').execute();
  return rows.map(fromRow);
}

/** In the order asked for; unknown ids are left out. */
export async function productsByIds(db: Kysely<CatalogSchema>, ids: readonly string[]): Promise<CatalogProduct[]> {
  if (ids.length === 0) return [];
  const rows = await db.selectFrom('products').selectAll().where('product_id', 'in', ids).execute();
  const byId = new Map(rows.map((row) => [row.product_id, fromRow(row)]));
  return ids.flatMap((id) => byId.get(id) ?? []);
}

/** One page of the shop window, or of one category of it. */
export async function productPage(
  db: Kysely<CatalogSchema>,
  { category, limit, offset }: { readonly category: string; readonly limit: number; readonly offset: number },
): Promise<{ items: CatalogProduct[]; total: number }> {
  const wanted = category === '' ? db.selectFrom('products') : db.selectFrom('products').where('category', '=', category);
  const { total } = await wanted.select((count) => count.fn.countAll<number | bigint | string>().as('total')).executeTakeFirstOrThrow();
  const rows = await wanted.selectAll().orderBy('position').limit(limit).offset(offset).execute();
  return { items: rows.map(fromRow), total: Number(total) };
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
  };
}
