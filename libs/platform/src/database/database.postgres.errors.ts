import { DatabaseError } from 'pg';
import { DatabaseUnavailable, reasonOf } from './database.unavailable.ts';

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
