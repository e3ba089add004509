/** The trimmed text of a form's field. A file field would be empty, but no form here has one. */
export function textOf(form: FormData, name: string): string {
  return untrimmedTextOf(form, name).trim();
}

/** The text as the person typed it, for passwords. */
export function untrimmedTextOf(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === 'string' ? value : '';
}
