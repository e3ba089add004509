import { create } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';
import { CartLineSchema } from './gen/cloakroom/cart/v1/cart_pb.ts';
import { ProductSchema } from './gen/cloakroom/catalog/v1/catalog_pb.ts';
import { optionsOf } from './options.ts';

const options = [
  { name: 'Colour', value: 'Red' },
  { name: 'Engraving', value: 'R.' },
  { name: 'Size', value: 'M' },
];
const line = create(CartLineSchema, { options });

it('chosen options come in the order of the catalog, and unknown options come last', () => {
  const product = create(ProductSchema, { options: [{ name: 'Size' }, { name: 'Colour' }] });
  expect(Object.entries(optionsOf(line, product))).toEqual([
    ['Size', 'M'],
    ['Colour', 'Red'],
    ['Engraving', 'R.'],
  ]);
});

it('options keep the order of the cart when the product is gone', () => {
  expect(Object.keys(optionsOf(line, undefined))).toEqual(['Colour', 'Engraving', 'Size']);
});
