/**
 * The shop's stock on its first day, and what the shop window shows in which order. The tables are in seed/, a file a category; the same
 * tables give the same products in the same order at every start.
 */
import { accessories } from './accessories.ts';
import { bags } from './bags.ts';
import { care } from './care.ts';
import { clothing } from './clothing.ts';
import { coats } from './coats.ts';
import { home } from './home.ts';
import { kitchen } from './kitchen.ts';
import { outdoor } from './outdoor.ts';
import { play } from './play.ts';
import { shoes } from './shoes.ts';
import { stationery } from './stationery.ts';
import type { SeedProduct } from './table.ts';
import { travel } from './travel.ts';

export type { SeedProduct } from './table.ts';

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
