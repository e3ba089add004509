/**
 * The interview question (`interview.md`): each number of its answer comes from the simulator. A number is bold, and a comment behind it names the
 * shop and the step. `node labs/a-billion/interview.ts` writes all of them anew.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readFigures } from './figures.ts';
import {
  figureNames,
  type FigureName,
  type Figures,
  knobs,
  type KnobName,
  type Mode,
  simulate,
  spell,
  usualWish,
  type Wish,
} from './simulator.ts';

export const interviewFile = join(import.meta.dirname, 'interview.md');

/** The shops of the text: the usual wish, with one thing changed. */
const shops: Readonly<Record<string, { readonly mode: Mode; readonly change: Partial<Wish> }>> = {
  base: { mode: 'hybrid', change: {} },
  reference: { mode: 'reference', change: {} },
  jwt: { mode: 'jwt', change: {} },
  any: { mode: 'hybrid', change: { spread: 0 } },
  cells: { mode: 'hybrid', change: { cells: 1 } },
  million: { mode: 'hybrid', change: { people: 1e6, regions: 1 } },
};

/** `**1.4 million/s**<!-- base.rps -->` */
export const numberPattern = /\*\*([^*]+)\*\*<!-- (\w+)\.(\w+)( %)? -->/g;

/** @throws Error for a shop or a number that there is not */
export function numberOf(shop: string, name: string, isPart: boolean, figures: Figures): string {
  const known = shops[shop];
  if (known === undefined) throw new Error(`no shop ${shop}`);
  const { values, lines } = simulate(known.mode, { ...usualWish, ...known.change }, figures);
  const value = values[name as keyof typeof values];
  if (value === undefined || !Number.isFinite(value)) throw new Error(`${shop} has no ${name}`);
  if (isPart) return `${spell(100 * value)} %`;
  const unit = lines.find((line) => line.name === name)?.unit ?? knobs[name as KnobName]?.unit ?? figureNames[name as FigureName].unit;
  return spell(value, unit);
}

export const withNumbers = (text: string, figures: Figures): string =>
  text.replaceAll(numberPattern, (_all, _old, shop: string, name: string, part: string | undefined) => {
    return `**${numberOf(shop, name, part !== undefined, figures)}**<!-- ${shop}.${name}${part ?? ''} -->`;
  });

if (import.meta.main) writeFileSync(interviewFile, withNumbers(readFileSync(interviewFile, 'utf8'), readFigures()));
