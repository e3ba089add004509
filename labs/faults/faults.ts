/** Every fault that can be planted, whoever must notice it: an attack, the checker of histories, a law of carts, a test. */
import { attackFaults } from './attack-faults.ts';
import { mutants } from './mutant-list.ts';
import type { PlantedFault } from './planted.ts';
import { projectorFaults } from './projector-faults.ts';

const faults: readonly PlantedFault[] = [
  ...attackFaults,
  ...projectorFaults,
  ...mutants.map((mutant) => ({ name: mutant.name, edits: [mutant] })),
];

/** @param names of one fault, or of several with `+` between them: then all are planted at once. @throws where there is none of a name */
export function faultNamed(names: string): PlantedFault {
  return { name: names, edits: names.split('+').flatMap((name) => oneNamed(name).edits) };
}

function oneNamed(name: string): PlantedFault {
  const fault = faults.find((one) => one.name === name);
  if (fault === undefined) throw new Error(`no fault ${name}`);
  return fault;
}
