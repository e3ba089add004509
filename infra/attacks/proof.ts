/**
 * Takes each defence of fault-list.ts out of a running stack and expects its attack to succeed, that is its test to fail. A stack that does
 * not start, or a test that is not there, proves nothing and counts as a failure of the proof.
 */
import { faults, type Fault } from './fault-list.ts';
import { attackStack, readTrials } from './playwright.ts';

export async function prove({ only, fast, base }: { only: string | undefined; fast: boolean; base: number }): Promise<number> {
  const chosen = faults.filter(({ name, fast: isFast }) => (only === undefined || only === name) && (!fast || isFast === true));
  if (chosen.length === 0) throw new Error(`no such fault; one of ${faults.map(({ name }) => name).join(', ')}`);
  let unproven = 0;
  for (const fault of chosen) {
    const began = performance.now();
    const outcome = await proveOne(fault, base);
    if (outcome !== 'proven') unproven++;
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    console.log(`${outcome.padEnd(9)} ${fault.name}: ${fault.noticedBy.title} (${fault.provider}, ${seconds} s)`);
  }
  console.log(`\n${chosen.length - unproven} passed, ${unproven} failed`);
  return unproven === 0 ? 0 : 1;
}

type Outcome = 'proven' | 'SURVIVED' | 'NOT RUN';

async function proveOne({ name, provider, noticedBy }: Fault, portBase: number): Promise<Outcome> {
  const title = noticedBy.title.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  await attackStack({ provider, portBase, only: [`attacks/${noticedBy.file}`], title, fault: name, quiet: true });
  const trials = readTrials();
  if (trials.length === 0) return 'NOT RUN';
  return trials.some(({ passed }) => !passed) ? 'proven' : 'SURVIVED';
}
