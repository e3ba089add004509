import type { Product } from '@cloakroom/contracts';
import { z } from 'zod';

export const productId = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[A-Za-z0-9_-]+$/);

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
  })
  .meta({ id: 'Product' });

export const productPageSchema = z
  .object({ items: z.array(productSchema), total: z.int(), page: z.int(), pageSize: z.int() })
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
  };
}
