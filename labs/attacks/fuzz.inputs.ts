/** Inputs for the fuzzers: arbitrary values, and real values with a small change. The changed ones get past more checks. */
import fc from 'fast-check';

/** A real text, token or header with a few characters changed, dropped, doubled or moved. */
export function mutated(real: string): fc.Arbitrary<string> {
  const edit = fc.record({
    at: fc.nat({ max: Math.max(0, real.length - 1) }),
    kind: fc.constantFrom('drop', 'double', 'replace', 'insert', 'cut', 'repeat'),
    text: fc.oneof(fc.constantFrom('.', '=', ';', ',', ' ', 'A', '0', '%00', '\t', '__proto__', '../', '"'), fc.string({ maxLength: 4 })),
  });
  return fc.array(edit, { minLength: 1, maxLength: 4 }).map((edits) =>
    edits.reduce((text, { at, kind, text: more }) => {
      if (kind === 'drop') return text.slice(0, at) + text.slice(at + 1);
      if (kind === 'double') return text.slice(0, at) + text.slice(at, at + 1) + text.slice(at);
      if (kind === 'replace') return text.slice(0, at) + more + text.slice(at + more.length);
      if (kind === 'insert') return text.slice(0, at) + more + text.slice(at);
      if (kind === 'cut') return text.slice(0, at);
      return text.slice(0, at) + text.slice(at).repeat(2);
    }, real),
  );
}

/** A real record with changed bits, bytes and lengths. */
export function mutatedBytes(real: Uint8Array): fc.Arbitrary<Buffer> {
  const edit = fc.record({
    at: fc.nat({ max: Math.max(0, real.length - 1) }),
    kind: fc.constantFrom('flip', 'set', 'drop', 'insert', 'cut'),
    byte: fc.nat({ max: 255 }),
  });
  const changed = fc.array(edit, { minLength: 1, maxLength: 6 }).map((edits) =>
    edits.reduce((bytes, { at, kind, byte }) => {
      if (kind === 'flip') return Buffer.from(bytes.map((value, index) => (index === at ? value ^ (1 << (byte % 8)) : value)));
      if (kind === 'set') return Buffer.from(bytes.map((value, index) => (index === at ? byte : value)));
      if (kind === 'drop') return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]);
      if (kind === 'insert') return Buffer.concat([bytes.subarray(0, at), Buffer.from([byte, byte]), bytes.subarray(at)]);
      return bytes.subarray(0, at);
    }, Buffer.from(real)),
  );
  return fc.oneof(
    { weight: 5, arbitrary: changed },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)) },
  );
}

/** Texts that often confuse parsers. */
const awkward = fc.constantFrom(
  '',
  ' ',
  '\0',
  '\ud800',
  '%',
  '%zz',
  '../..',
  "'",
  '"',
  '<script>',
  '__proto__',
  'constructor',
  '1e999',
  '-0',
  'NaN',
  '\u202e',
  'ß'.repeat(300),
  '😀',
  '0x10',
  'null',
);
export const anyText: fc.Arbitrary<string> = fc.oneof(fc.string({ unit: 'binary', maxLength: 80 }), awkward);
const number = fc.oneof(fc.integer(), fc.double(), fc.constantFrom(-1, 0, 1, 2 ** 31, 2 ** 53, 1e308));
export const anyJson: fc.Arbitrary<unknown> = fc.oneof(fc.jsonValue({ maxDepth: 4 }), anyText, number);

interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
}

/** Values that mostly have the right shape, so that they pass the first check and meet the next. Sometimes a part is an arbitrary value. */
export function nearly(schema: JsonSchema | undefined, depth = 0): fc.Arbitrary<unknown> {
  if (schema === undefined || depth > 5) return anyJson;
  const right = (): fc.Arbitrary<unknown> => {
    if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
    if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map((one) => nearly(one, depth + 1)));
    if (schema.properties !== undefined) {
      const fields = Object.entries(schema.properties).map(([name, one]) => [name, nearly(one, depth + 1)] as const);
      return fc.record(Object.fromEntries(fields), { requiredKeys: [] });
    }
    if (schema.type === 'array') return fc.array(nearly(schema.items, depth + 1), { maxLength: 4 });
    if (schema.type === 'integer' || schema.type === 'number') return number;
    if (schema.type === 'boolean') return fc.boolean();
    return fc.oneof(anyText, fc.uuid({ version: 7 }), fc.emailAddress());
  };
  return fc.oneof({ weight: 6, arbitrary: right() }, { weight: 1, arbitrary: anyJson });
}
