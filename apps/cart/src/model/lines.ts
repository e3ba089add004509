/**
 * A line is a product with its chosen options. Its id is made from both and can be decoded. So a command can name a line that the view does
 * not show yet. The id from a 202 works at once, on any replica, even while the view is down.
 */
import {
  lineIdLengthMax,
  optionCountMax,
  optionNamePattern,
  optionValueLengthMax,
  problem,
  type Problem,
  productIdPattern,
} from '@cloakroom/contracts';

export interface Line {
  readonly productId: string;
  /** Sorted by name, names unique. */
  readonly options: readonly (readonly [name: string, value: string])[];
}

export type LineId = string;

/** Which product ids are a line's id as they are. Wider than what a request may say today: the log keeps ids of every version. */
const plainProductId = /^[A-Za-z0-9_.-]{1,64}$/;

/** Gives a line one spelling: its options are sorted by code unit, never by locale. */
export function canonicalLine(productId: string, options: Iterable<readonly [string, string]>): Line {
  return { productId, options: [...options].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)) };
}

/** The line that a request names. The catalog, and not cart, decides whether the product exists. */
export function parseLine(productId: string, options: readonly { readonly name: string; readonly value: string }[]): Line | Problem {
  if (!productIdPattern.test(productId)) return problem('invalid_request', 'productId: 1 to 64 letters, digits, "_" or "-"');
  if (options.length > optionCountMax) return problem('invalid_request', `options: at most ${optionCountMax}`);
  const names = new Set<string>();
  for (const { name, value } of options) {
    if (!optionNamePattern.test(name))
      return problem('invalid_request', 'options: a name has 1 to 32 letters, digits, spaces, "_", "." or "-"');
    if (value === '' || value.length > optionValueLengthMax)
      return problem('invalid_request', `options: a value has 1 to ${optionValueLengthMax} characters`);
    if (names.has(name)) return problem('invalid_request', 'options: a name may be given once');
    names.add(name);
  }
  return canonicalLine(
    productId,
    options.map(({ name, value }) => [name, value]),
  );
}

/** `<productId>` when there are no options, else `~` and base64url of the canonical JSON. Every line in the log has an id. */
export function lineIdOf(line: Line): LineId {
  if (line.options.length === 0 && plainProductId.test(line.productId)) return line.productId;
  return `~${Buffer.from(JSON.stringify([line.productId, line.options])).toString('base64url')}`;
}

/** @returns undefined for an id that lineIdOf would not have made */
export function lineOf(lineId: LineId): Line | undefined {
  if (plainProductId.test(lineId)) return { productId: lineId, options: [] };
  if (!lineId.startsWith('~') || lineId.length > lineIdLengthMax) return undefined;
  const line = parseCanonical(Buffer.from(lineId.slice(1), 'base64url').toString());
  return line !== undefined && lineIdOf(line) === lineId ? line : undefined;
}

function parseCanonical(json: string): Line | undefined {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (!Array.isArray(value) || value.length !== 2 || typeof value[0] !== 'string' || !Array.isArray(value[1])) return undefined;
  const options: (readonly [string, string])[] = [];
  for (const option of value[1] as unknown[]) {
    if (!Array.isArray(option) || option.length !== 2 || typeof option[0] !== 'string' || typeof option[1] !== 'string') return undefined;
    options.push([option[0], option[1]]);
  }
  return canonicalLine(value[0], options);
}
