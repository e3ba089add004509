/**
 * Takes each defence of attack-faults.ts out of a running stack, and expects its attack to succeed: its test must fail. A stack that does
 * not start, or a test that does not exist, proves nothing and counts as a failure of the proof.
 */
import { stripVTControlCharacters } from 'node:util';
import { attackFaults, type AttackFault } from '../faults/attack-faults.ts';
import { attackStack, readTrials } from './playwright.ts';

export async function prove({ only, fast, base }: { only: string | undefined; fast: boolean; base: number }): Promise<number> {
  const chosen = attackFaults.filter(({ name, fast: isFast }) => (only === undefined || only === name) && (!fast || isFast === true));
  let unproven = 0;
  for (const fault of chosen) {
    const began = performance.now();
    const { outcome, said } = await proveOne(fault, base);
    if (outcome !== 'proven') unproven++;
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    console.log(`${outcome.padEnd(9)} ${fault.name}: ${fault.noticedBy.title} (${fault.provider}, ${seconds} s)`);
    for (const line of story(fault, said)) console.log(`          ${line}`);
  }
  console.log(`\n${chosen.length - unproven} passed, ${unproven} failed`);
  return unproven === 0 ? 0 : 1;
}

type Outcome = 'proven' | 'SURVIVED' | 'NOT RUN';

async function proveOne(
  { name, provider, noticedBy }: AttackFault,
  portBase: number,
): Promise<{ outcome: Outcome; said?: string | undefined }> {
  const title = noticedBy.title.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  await attackStack({ provider, portBase, only: [`attacks/${noticedBy.file}\\.`], title, fault: name, quiet: true });
  const trials = readTrials();
  if (trials.length === 0) return { outcome: 'NOT RUN' };
  const failed = trials.find(({ passed }) => !passed);
  return failed === undefined ? { outcome: 'SURVIVED' } : { outcome: 'proven', said: failed.said };
}

/** A longer answer is no summary. */
const wordsMax = 160;

/**
 * Says which defence was taken away, where, and what the attacker gained: the value that the test
 * expected of a defended shop, and the value it got.
 */
export function story({ edits }: Pick<AttackFault, 'edits'>, said: string | undefined): string[] {
  const lines = stripVTControlCharacters(said ?? '')
    .split('\n')
    .map((line) => line.trim());
  const expected = lines.find((line) => /^Expected\b/.test(line));
  const received = lines.find((line) => /^Received\b/.test(line));
  const what = lines[0]?.replace(/^Error: /, '') ?? '';
  const got = [what, expected, received].filter((line) => line !== undefined && line !== '').join(' | ');
  return [
    ...edits.map(({ file, find, replace }) => `broken: ${file}: ${short(find)} ${replace === '' ? 'is gone' : `became ${short(replace)}`}`),
    ...(got === '' ? [] : [`the attacker got: ${short(got)}`]),
  ];
}

const short = (text: string): string => (text.length > wordsMax ? `${text.slice(0, wordsMax)}...` : text);
