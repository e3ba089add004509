import { lww } from './lww.ts';
import type { CartModel, ModelName } from './model.ts';
import { overwriteMerge } from './overwrite-merge.ts';
import { readModifyWrite } from './read-modify-write.ts';
import { sumMerge } from './sum-merge.ts';
import { union } from './union.ts';

/** Undefined for dots: the rules of cart.ts, with nothing in between. */
export function modelOf(name: ModelName): CartModel | undefined {
  switch (name) {
    case 'dots':
      return undefined;
    case 'lww':
      return lww;
    case 'union':
      return union();
    case 'sum-merge':
      return sumMerge;
    case 'overwrite-merge':
      return overwriteMerge;
    case 'read-modify-write':
      return readModifyWrite;
  }
}
