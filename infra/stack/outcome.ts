/** A start that is impossible: the reason and the remedy, one line each. Any other exception is a defect. */
export class StackError extends Error {
  override readonly name = 'StackError';
  readonly remedy: string;
  constructor(message: string, remedy: string) {
    super(message);
    this.remedy = remedy;
  }
}

/** @throws StackError where the value is missing */
export function orStackError<T>(found: { ok: true; value: T } | { ok: false; why: string; remedy: string }): T {
  if (found.ok) return found.value;
  throw new StackError(found.why, found.remedy);
}

export function describeFailure(error: unknown): string {
  if (error instanceof StackError) return `${error.message}. Remedy: ${error.remedy}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
