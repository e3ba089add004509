import { z } from 'zod';

/** A name, as people type it. The document says too that blanks alone are none: trimming is nothing that a schema can tell. */
export const words = (lengthMax: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(lengthMax)
    .meta({ pattern: String.raw`\S` });
