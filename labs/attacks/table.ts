/** The attacks as rows of docs/security.md. The catalogue is the source, and a check compares the document with it. */
import { attacks, type Attack } from './catalogue.ts';
import { attackFaults } from '../faults/attack-faults.ts';

export function attackRows(): string[] {
  return attacks.map((attack) => `| ${[attack.id, attack.name, attack.standards, evidenceOf(attack), provenBy(attack)].join(' | ')} |`);
}

function evidenceOf({ triedBy, gap }: Attack): string {
  const tried = [...Map.groupBy(triedBy, ({ file }) => file)].map(
    ([file, trials]) => `${trials.map(({ title }) => `"${title}"`).join(', ')} in \`${file}\``,
  );
  return [...tried, ...(gap === undefined ? [] : [`${triedBy.length === 0 ? 'Not tried' : 'Gap'}: ${gap}`])].join('; ');
}

/** Finds the planted faults that prove the attack: it compares the files and titles that notice them. */
function provenBy({ triedBy }: Attack): string {
  const names = attackFaults
    .filter(({ noticedBy }) => triedBy.some(({ file, title }) => file.includes(`/${noticedBy.file}.`) && bothBegin(title, noticedBy.title)))
    .map(({ name }) => name);
  return names.length === 0 ? '-' : [...new Set(names)].join(', ');
}

const bothBegin = (one: string, other: string): boolean => one.startsWith(other) || other.startsWith(one);

/** `npm run check` runs this file as a process, because it imports no lab. */
if (import.meta.main) console.log(JSON.stringify(attackRows()));
