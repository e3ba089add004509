import { z } from 'zod';

/** A name, as people type it. The OpenAPI document states too that blanks alone are no name, because a schema cannot express trimming. */
export const words = (lengthMax: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(lengthMax)
    .meta({ pattern: String.raw`\S` });
