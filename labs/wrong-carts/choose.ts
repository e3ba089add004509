import { lww } from './lww.ts';
import type { CartModel, WrongModel } from './model.ts';
import { overwriteMerge } from './overwrite-merge.ts';
import { readModifyWrite } from './read-modify-write.ts';
import { sumMerge } from './sum-merge.ts';
import { union } from './union.ts';

const models: Record<WrongModel, () => CartModel> = {
  lww: () => lww,
  union,
  'sum-merge': () => sumMerge,
  'overwrite-merge': () => overwriteMerge,
  'read-modify-write': () => readModifyWrite,
};

export const modelOf = (name: WrongModel): CartModel => models[name]();
