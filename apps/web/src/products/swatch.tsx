import { swatchOf } from './colours.ts';

export const isColourOption = (name: string): boolean => /^colou?r$/i.test(name);

/** Decoration beside the colour's name, which is always written out. */
export function Swatch({ colour }: { readonly colour: string }) {
  const shown = swatchOf(colour);
  return shown === undefined ? null : <span className="swatch" style={{ backgroundColor: shown }} />;
}
