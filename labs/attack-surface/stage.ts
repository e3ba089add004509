/** Runs the attacks of the lab against the embedded shop, with the defences of an arm taken away. Labs/attacks and its planted faults do the work. */
import { attackStack, readTrials } from '../attacks/playwright.ts';
import { framework, ours, arms, tried, type Tried } from './arms.ts';

/** Another run of attacks may be under way beside this one. */
const report = 'attack-surface';

export interface Attempt {
  readonly tried: number;
  /** The attacks that got in. */
  readonly gotIn: readonly Tried[];
}

/** @param keep 0, or the place in `ours` of the one defence that stays where all of ours are taken away */
export async function attackArm(arm: string, { base, quick, keep }: { base: number; quick: boolean; keep: number }): Promise<Attempt> {
  const chosen = tried.filter((one) => !quick || one.quick === true);
  const away = arm === framework ? ours.filter((_, index) => index !== keep - 1) : (arms[arm] ?? []);
  await attackStack({
    provider: 'embedded',
    portBase: base,
    only: [...new Set(chosen.map(({ file }) => `attacks/${file}\\.`))],
    title: `(${chosen.map(({ title }) => title.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|')})`,
    ...(away.length > 0 && { fault: away.join('+') }),
    quiet: true,
    name: report,
  });
  const seen = readTrials(report);
  const of = ({ title }: Tried) => seen.find((trial) => trial.title.startsWith(title));
  const missing = chosen.filter((one) => of(one) === undefined);
  if (missing.length > 0) throw new Error(`${arm}: these attacks did not run: ${missing.map(({ title }) => title).join('; ')}`);
  return { tried: chosen.length, gotIn: chosen.filter((one) => of(one)?.passed === false) };
}
