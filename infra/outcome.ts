/** A start that cannot be: what happened and what to do about it, in one line each. Everything else that is thrown is a defect. */
export class StackError extends Error {
  override readonly name = 'StackError';
  readonly remedy: string;
  constructor(message: string, remedy: string) {
    super(message);
    this.remedy = remedy;
  }
}

export function describeFailure(error: unknown): string {
  if (error instanceof StackError) return `${error.message}. Remedy: ${error.remedy}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
