/**
 * The shop's stock on its first day, and the order of its shop window. The tables are in seed/, one file per category. The same tables give the same
 * products in the same order at every start.
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

/** Takes one product of each category in turn. A window that begins with thirty coats would hide the other categories. */
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
