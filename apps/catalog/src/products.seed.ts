/**
 * The shop's stock on its first day, and what the shop window shows in which order. The tables are in seed/, a file a category; the same
 * tables give the same products in the same order at every start.
 */
import { accessories } from './seed/accessories.ts';
import { bags } from './seed/bags.ts';
import { care } from './seed/care.ts';
import { clothing } from './seed/clothing.ts';
import { coats } from './seed/coats.ts';
import { home } from './seed/home.ts';
import { kitchen } from './seed/kitchen.ts';
import { outdoor } from './seed/outdoor.ts';
import { play } from './seed/play.ts';
import { shoes } from './seed/shoes.ts';
import { stationery } from './seed/stationery.ts';
import type { SeedProduct } from './seed/table.ts';
import { travel } from './seed/travel.ts';

export type { SeedProduct } from './seed/table.ts';

/** One of each category in turn: a window with thirty coats first would hide that there is anything else. */
function arrange(categories: readonly (readonly SeedProduct[])[]): SeedProduct[] {
  const rowCount = Math.max(...categories.map((products) => products.length));
  return Array.from({ length: rowCount }, (_, row) => categories.flatMap((products) => products[row] ?? [])).flat();
}

export const seedProducts: readonly SeedProduct[] = arrange([
  coats,
  shoes,
  bags,
  accessories,
  clothing,
  travel,
  home,
  kitchen,
  outdoor,
  stationery,
  care,
  play,
]);
