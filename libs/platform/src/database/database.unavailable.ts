/**
 * The database cannot be asked now, or could not finish in its time. The request is not at fault, and repeating it is worthwhile. A transaction with
 * a COMMIT on its way may have happened. The mesh answers `unavailable`, auth `identity_unavailable`.
 */
export class DatabaseUnavailable extends Error {
  override readonly name = 'DatabaseUnavailable';
}

/** A code or a message; never a URL, which may hold a password. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Several addresses of one name: AggregateError has no message of its own.
  const first = error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error;
  return first.message || String((first as NodeJS.ErrnoException).code ?? first.name);
}
