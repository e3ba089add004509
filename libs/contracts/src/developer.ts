/**
 * The caller of an engineer's own commands (`npm run call`). Only a shop on the engineer's machine admits it: libs/identity admission.ts and
 * docs/decisions/0027-the-caller-developer.md.
 */
export const developer = 'developer';
