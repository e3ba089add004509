/** The trimmed text of a form's field; a file field, which no form here has, would be empty. */
export function textOf(form: FormData, name: string): string {
  return untrimmedTextOf(form, name).trim();
}

/** A password is taken as typed. */
export function untrimmedTextOf(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === 'string' ? value : '';
}
