/** Faults of a projector of carts, planted as the others are (faults.ts): the checker of histories must notice each on a running shop. */
import type { PlantedFault } from './planted.ts';

export interface ProjectorFault extends PlantedFault {
  /** The checker's name for it; undefined where it must find nothing. */
  readonly foundAs: string | undefined;
}

const applies = { file: 'apps/cart/src/projection/project-batch.ts', find: 'const after = apply(before.cart, record);' };

export const projectorFaults: readonly ProjectorFault[] = [
  {
    name: 'the-projector-skips-records',
    edits: [{ ...applies, replace: 'const after = record.offset % 5n === 4n ? before.cart : apply(before.cart, record);' }],
    foundAs: 'lost',
  },
  {
    name: 'the-projector-counts-records-twice',
    edits: [
      {
        file: 'apps/cart/src/model/cart.ts',
        find: "quantity: event.quantity, kind: 'add' });",
        replace: "quantity: event.quantity * (/[0-3]$/.test(event.dot) ? 2 : 1), kind: 'add' });",
      },
    ],
    foundAs: 'doubled',
  },
  {
    // At least once is what a log promises: the second time must change nothing.
    name: 'the-projector-applies-records-twice',
    edits: [{ ...applies, replace: 'const after = apply(apply(before.cart, record), record);' }],
    foundAs: undefined,
  },
];
