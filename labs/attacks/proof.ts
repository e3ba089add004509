/**
 * Takes each defence of attack-faults.ts out of a running stack, and expects its attack to succeed: its test must fail. A stack that does
 * not start, or a test that does not exist, proves nothing and counts as a failure of the proof.
 */
import { stripVTControlCharacters } from 'node:util';
import { attackFaults, type AttackFault } from '../faults/attack-faults.ts';
import { attackStack, readTrials } from './playwright.ts';
import { stories } from './stories.ts';

export async function prove({ only, fast, base }: { only: string | undefined; fast: boolean; base: number }): Promise<number> {
  const chosen = attackFaults.filter(({ name, fast: isFast }) => (only === undefined || only === name) && (!fast || isFast === true));
  let unproven = 0;
  for (const fault of chosen) {
    const began = performance.now();
    const { outcome, said } = await proveOne(fault, base);
    if (outcome !== 'proven') unproven++;
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    console.log(`${outcome.padEnd(9)} ${fault.name} (${fault.provider}, ${seconds} s)`);
    if (only !== undefined || outcome !== 'proven') for (const line of story(fault, outcome, said)) console.log(line);
  }
  console.log(`\n${chosen.length - unproven} passed, ${unproven} failed`);
  return unproven === 0 ? 0 : 1;
}

export type Outcome = 'proven' | 'SURVIVED' | 'NOT RUN';

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

/** A terminal has as many, and a reader no more patience. */
const columns = 80;
const indent = '  ';
const labelWidth = 'The defence  '.length;

/** Tells the proof: the defence that was taken away, what the attacker did, what came back, and what the defence does. */
export function story(
  { name, edits, noticedBy }: Pick<AttackFault, 'name' | 'edits' | 'noticedBy'>,
  outcome: Outcome,
  said?: string,
): string[] {
  const told = stories[name];
  if (told === undefined) throw new Error(`${name} has no story in labs/attacks/stories.ts`);
  const { takenAway, attack, cameBack, defence } = told;
  const came = { proven: cameBack, SURVIVED: survived, 'NOT RUN': notRun }[outcome];
  return [
    '',
    ...part('Taken away', takenAway),
    ...edits.flatMap(({ file, find, replace }) => [code(file), code(`- ${find}`), ...(replace === '' ? [] : [code(`+ ${replace}`)])]),
    '',
    ...part('The attack', attack),
    ...part('', `Tried by: ${noticedBy.title} ...`),
    '',
    ...part('Came back', came),
    ...(outcome === 'proven' ? valuesIn(said).map(code) : []),
    '',
    ...part('The defence', defence),
    '',
  ];
}

const survived =
  'Nothing: the attack failed although its defence was gone. Either another defence held, or the test would not notice a success.';
const notRun = 'Nothing: the test did not run. The stack did not start, or no test has this title.';

/** A label, and beside it the text in lines that fit. */
function part(label: string, text: string): string[] {
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1)!;
    if (last !== '' && indent.length + labelWidth + last.length + 1 + word.length > columns) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines.map((line, at) => `${indent}${(at === 0 ? label : '').padEnd(labelWidth)}${line}`);
}

/** A line of code or of a report is cut where it does not fit: its beginning says enough. */
function code(text: string): string {
  const line = `${indent}${''.padEnd(labelWidth)}${text.replaceAll(/\s+/g, ' ')}`;
  return line.length > columns ? `${line.slice(0, columns - 3)}...` : line;
}

/** The values of a failed expectation: what a defended shop answers, and what this one did. */
function valuesIn(said = ''): string[] {
  const lines = stripVTControlCharacters(said)
    .split('\n')
    .map((line) => line.trim());
  /** Playwright prints only those members of a list or an object that differ. */
  const differing = (sign: '-' | '+'): string | undefined => {
    const members = lines.filter((line) => line.startsWith(`${sign} `) && !/^. (?:Expected|Received)\b/.test(line));
    return members.length === 0 ? undefined : members.map((line) => line.slice(1).trim()).join(' ');
  };
  const told = (word: 'Expected' | 'Received', sign: '-' | '+'): string | undefined => {
    const members = differing(sign);
    return lines.find((line) => line.startsWith(word)) ?? (members && `${word}: ${members}`);
  };
  const what = lines[0]?.replace(/^Error: /, '') ?? '';
  const values = [what, told('Expected', '-'), told('Received', '+')];
  return values.filter((line) => line !== undefined && line !== '').map((line) => `> ${line}`);
}
