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

/** @throws where there is none of that name */
export function faultNamed(name: string): PlantedFault {
  const fault = faults.find((one) => one.name === name);
  if (fault === undefined) throw new Error(`no fault ${name}`);
  return fault;
}
