/**
 * A line of a product without options has the product's id. One with options has `~` and, in base64url, the product and its options as JSON.
 * @returns "wool-overcoat, size XS"; what cannot be read stays as it is
 */
export function nameOfLine(lineId: string): string {
  if (!lineId.startsWith('~')) return lineId;
  try {
    const bytes = Uint8Array.from(atob(lineId.slice(1).replaceAll('-', '+').replaceAll('_', '/')), (one) => one.codePointAt(0) ?? 0);
    const told: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return wordsIn(told).join(', ') || lineId;
  } catch {
    return lineId;
  }
}

const isPair = (value: readonly unknown[]): boolean => value.length === 2 && value.every((one) => typeof one === 'string');

function wordsIn(value: unknown): string[] {
  if (Array.isArray(value)) return isPair(value) ? [value.join(' ')] : value.flatMap(wordsIn);
  return typeof value === 'string' || typeof value === 'number' ? [String(value)] : [];
}
