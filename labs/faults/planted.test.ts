import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { repository } from '../../infra/stack/folders.ts';
import { attackFaults } from './attack-faults.ts';
import { faultNamed } from './faults.ts';
import { mutants } from './mutant-list.ts';
import { partFor, withFault } from './planted.ts';
import { projectorFaults } from './projector-faults.ts';

const fault = { name: 'off', edits: [{ file: 'libs/a/src/b.ts', find: 'check();', replace: '' }] };

it('refuses a fault whose text does not stand exactly once', () => {
  expect(withFault('check(); go();', fault)).toBe(' go();');
  expect(() => withFault('go();', fault)).toThrow('the fault off is out of date: its text stands 0 times in libs/a/src/b.ts');
  expect(() => withFault('check(); check();', fault)).toThrow('stands 2 times');
});

it('plants a fault into a file as it is written and as it is built, and into no other', () => {
  expect(['/x/libs/a/src/b.ts', '/x/libs/a/dist/b.js'].map((path) => partFor(path, fault))).toEqual([fault, fault]);
  expect(['/x/libs/a/src/ab.ts', '/x/other/src/b.ts', '/x/libs/a/dist/b.d.ts'].map((path) => partFor(path, fault))).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

it('takes several names for one fault with all their edits, and refuses a name among them that it does not know', () => {
  const [one, other] = attackFaults;
  expect(faultNamed(`${one!.name}+${other!.name}`).edits).toEqual([...one!.edits, ...other!.edits]);
  expect(() => faultNamed(`${one!.name}+no-such-fault`)).toThrow('no fault no-such-fault');
});

it('the faults of two regions that docs/proof.md names can be planted', () => {
  const page = readFileSync(join(repository, 'docs/proof.md'), 'utf8');
  const cells = [...page.matchAll(/^\| [^|]+\|([^|]+)\|[^|]+\|$/gm)].map(([, cell]) => cell!);
  const named = cells.flatMap((cell) => [...cell.matchAll(/`([a-z-]+)`/g)].map(([, name]) => name!));
  expect(named.length).toBeGreaterThan(10);
  const known = mutants.map(({ name }) => name);
  expect(named.filter((name) => !known.includes(name))).toEqual([]);
});

it.each([...attackFaults, ...projectorFaults, ...mutants.map((mutant) => ({ name: mutant.name, edits: [mutant] }))])(
  '$name changes a file of today',
  ({ name, edits }) => {
    for (const edit of edits) {
      const source = readFileSync(join(repository, edit.file), 'utf8');
      expect(withFault(source, { name, edits: [edit] })).not.toBe(source);
    }
  },
);
