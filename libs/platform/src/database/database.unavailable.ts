import { DatabaseError } from 'pg';

/**
 * The database cannot be asked now, or could not finish in its time. The request is not at fault, and repeating it is worthwhile. A transaction with
 * a COMMIT on its way may have happened. The mesh answers `unavailable`, auth `identity_unavailable`.
 */
export class DatabaseUnavailable extends Error {
  override readonly name = 'DatabaseUnavailable';
}

/**
 * SQLSTATE codes and classes (PostgreSQL manual, appendix A) that say "not now" rather than "not so".
 * They are connection exceptions, out of resources, shutting down or starting, one of our own time-outs, a deadlock, and a standby after a failover.
 */
const notNow = /^(08|53|57P0|57014|55P03|25P03|25P04|25006|40001|40P01)/;

/** Returns the error unchanged when the statement itself was wrong. */
export function asUnavailable(error: unknown): unknown {
  return isNotNow(error) ? new DatabaseUnavailable(`the database is not available: ${reasonOf(error)}`, { cause: error }) : error;
}

function isNotNow(error: unknown): boolean {
  if (error instanceof DatabaseError) return notNow.test(error.code ?? '');
  // An error that the server did not report came from the connection. The exception is a value that cannot be written or read.
  return error instanceof Error && !(error instanceof TypeError) && !(error instanceof RangeError);
}

/** Whether the connection can still be used. */
export const breaksConnection = (error: unknown): boolean =>
  error instanceof DatabaseError ? error.severity === 'FATAL' || error.severity === 'PANIC' : isNotNow(error);

/** A code or a message; never a URL, which may hold a password. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Several addresses of one name: AggregateError has no message of its own.
  const first = error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error;
  return first.message || String((first as NodeJS.ErrnoException).code ?? first.name);
}
