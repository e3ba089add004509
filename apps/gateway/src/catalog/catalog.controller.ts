import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import type { z } from 'zod';
import { CurrentExchange, Policy } from '../edge/policy.ts';
import type { Gateway } from '../gateway.ts';
import type { Exchange } from '../http-exchange.ts';
import { catalogClientToken } from '../injection.ts';
import { getProduct } from './get-product.ts';
import { listProducts, productQuery } from './list-products.ts';
import { productPageSchema, productParams, productSchema } from './product-answer.ts';
import { suggestionQuery, suggestionsSchema, suggestProducts } from './suggest-products.ts';

@Controller('api/products')
export class CatalogController {
  constructor(@Inject(catalogClientToken) readonly catalog: Gateway['catalog']) {}

  @Get()
  @Policy({
    summary: 'Lists, searches and narrows down products.',
    operationClass: 'public',
    identity: 'none',
    budgetMs: 2_000,
    answers: { 200: { description: 'One page, and the facets of all pages.', schema: productPageSchema } },
  })
  listProducts(@CurrentExchange() exchange: Exchange, @Query({ schema: productQuery }) query: z.output<typeof productQuery>) {
    return listProducts(exchange, { query }, this);
  }

  @Get('suggestions')
  @Policy({
    summary: 'What a person who has typed this much may mean.',
    operationClass: 'public',
    identity: 'none',
    budgetMs: 1_000,
    answers: { 200: { description: 'At most 6 products and 3 categories.', schema: suggestionsSchema } },
  })
  suggestProducts(@CurrentExchange() exchange: Exchange, @Query({ schema: suggestionQuery }) query: z.output<typeof suggestionQuery>) {
    return suggestProducts(exchange, { query }, this);
  }

  @Get(':productId')
  @Policy({
    summary: 'One product.',
    operationClass: 'public',
    identity: 'none',
    budgetMs: 2_000,
    answers: { 200: { description: 'The product.', schema: productSchema } },
    errors: ['not_found'],
  })
  getProduct(@CurrentExchange() exchange: Exchange, @Param({ schema: productParams }) params: z.output<typeof productParams>) {
    return getProduct(exchange, { params }, this);
  }
}
