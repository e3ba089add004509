import { type Facets, type Product, productIdPattern } from '@cloakroom/contracts';
import { z } from 'zod';

export const productId = z.string().regex(productIdPattern);
export const productParams = z.object({ productId });

export const stockHeardAt = z.iso.datetime().optional().meta({
  description:
    'Only while the region that decides about the stock is out of reach: when it was last heard. The stock is what this region can sell without it.',
});

export const stockHeardBody = (ms: bigint): { readonly stockHeardAt?: string } =>
  ms > 0n ? { stockHeardAt: new Date(Number(ms)).toISOString() } : {};

export const productSchema = z
  .object({
    productId: z.string(),
    name: z.string(),
    description: z.string(),
    category: z.string(),
    price: z.int().meta({ description: 'In minor units of the currency.' }),
    currency: z.string().length(3),
    options: z.array(z.object({ name: z.string(), values: z.array(z.string()) })),
    stock: z.int().nonnegative(),
    image: z.string(),
    stockHeardAt,
  })
  .meta({ id: 'Product' });

const facetCount = z.object({ value: z.string(), count: z.int().nonnegative() }).meta({ id: 'FacetCount' });

export const facetsSchema = z
  .object({
    categories: z.array(facetCount),
    options: z.array(z.object({ name: z.string(), values: z.array(facetCount) })),
    priceMin: z.int().nonnegative(),
    priceMax: z.int().nonnegative(),
  })
  .meta({ id: 'Facets', description: 'Of all that matches, before paging. Each facet leaves its own choice out of its counts.' });

export const productPageSchema = z
  .object({ items: z.array(productSchema), total: z.int(), page: z.int(), pageSize: z.int(), facets: facetsSchema })
  .meta({ id: 'ProductPage' });

export function productBody(product: Product): z.output<typeof productSchema> {
  return {
    productId: product.productId,
    name: product.name,
    description: product.description,
    category: product.category,
    price: Number(product.price),
    currency: product.currency,
    options: product.options.map(({ name, values }) => ({ name, values: [...values] })),
    stock: product.stock,
    image: product.image,
    ...stockHeardBody(product.stockHeardAtMs),
  };
}

/** A catalog of the version before sends no facets. */
export function facetsBody(facets: Facets | undefined): z.output<typeof facetsSchema> {
  const counts = (values: Facets['categories']) => values.map(({ value, count }) => ({ value, count }));
  return {
    categories: counts(facets?.categories ?? []),
    options: (facets?.options ?? []).map(({ name, values }) => ({ name, values: counts(values) })),
    priceMin: Number(facets?.priceMin ?? 0n),
    priceMax: Number(facets?.priceMax ?? 0n),
  };
}
