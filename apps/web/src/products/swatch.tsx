import { swatchOf } from './colours.ts';

export const isColourOption = (name: string): boolean => /^colou?r$/i.test(name);

/** A decoration beside the name of the colour. The page always writes out the name. */
export function Swatch({ colour }: { readonly colour: string }) {
  const shown = swatchOf(colour);
  return shown === undefined ? null : <span className="swatch" style={{ backgroundColor: shown }} />;
}
