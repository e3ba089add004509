/**
 * Reads spans out of OTLP over HTTP as JSON: https://github.com/open-telemetry/opentelemetry-proto, JSON encoding. What is malformed is left out,
 * so that one bad span of an exporter hides no other.
 */
import type { StoredSpan } from '../span.ts';

/** The claims of a passport are the longest attribute, below 1,000 characters. A longer text is cut, because thousands of spans are kept. */
const textLengthMax = 2_000;
/** More than any service sets. */
const attributeCountMax = 64;
/** Above the longest name of an attribute. One that is longer is left out with its value. */
const nameLengthMax = 100;
/** The exporter's own bound (libs/platform/src/telemetry.otlp.ts). */
const linkCountMax = 64;

type Json = Readonly<Record<string, unknown>>;

/** @param json the body of `POST /v1/traces`, parsed; anything else has no spans */
export function parseOtlp(json: unknown): StoredSpan[] {
  return listOf(json, 'resourceSpans').flatMap((resource) => {
    const service = textOf(attributesOf(objectOf(resource['resource']))['service.name']);
    return listOf(resource, 'scopeSpans').flatMap((scope) => listOf(scope, 'spans').flatMap((span) => spanOf(span, service) ?? []));
  });
}

const kinds = ['internal', 'internal', 'server', 'client', 'producer', 'consumer'] as const;

function spanOf(span: Json, service: string): StoredSpan | undefined {
  const traceId = idOf(span['traceId'], 32);
  const spanId = idOf(span['spanId'], 16);
  const startMs = millisecondsOf(span['startTimeUnixNano']);
  const endMs = millisecondsOf(span['endTimeUnixNano']);
  if (traceId === undefined || spanId === undefined || startMs === undefined || endMs === undefined) return undefined;
  const attributes = attributesOf(span);
  return {
    traceId,
    spanId,
    parentId: idOf(span['parentSpanId'], 16),
    name: textOf(span['name']),
    kind: kinds[Number(span['kind'])] ?? 'internal',
    startMs,
    endMs: Math.max(startMs, endMs),
    failure: failureOf(span, attributes),
    service,
    attributes,
    links: listOf(span, 'links').slice(0, linkCountMax).flatMap(linkOf),
  };
}

/** Status 2 is "error". */
function failureOf(span: Json, attributes: StoredSpan['attributes']): string | undefined {
  const code = objectOf(span['status'])['code'];
  if (code !== 2 && code !== 'STATUS_CODE_ERROR') return undefined;
  return textOf(attributes['error.type'] ?? 'error');
}

function linkOf(link: Json): StoredSpan['links'][number][] {
  const traceId = idOf(link['traceId'], 32);
  const spanId = idOf(link['spanId'], 16);
  return traceId === undefined || spanId === undefined ? [] : [{ traceId, spanId }];
}

function attributesOf(holder: Json): Record<string, string | number | boolean> {
  const found: Record<string, string | number | boolean> = {};
  for (const { key, value } of listOf(holder, 'attributes').slice(0, attributeCountMax)) {
    const plain = valueOf(objectOf(value));
    if (typeof key === 'string' && key.length <= nameLengthMax && key !== '__proto__' && plain !== undefined) found[key] = plain;
  }
  return found;
}

/** 64-bit integers come as text. Arrays and maps are left out, because no span of the shop has any. */
function valueOf(value: Json): string | number | boolean | undefined {
  if (typeof value['stringValue'] === 'string') return cut(value['stringValue']);
  if (typeof value['boolValue'] === 'boolean') return value['boolValue'];
  const number = value['intValue'] ?? value['doubleValue'];
  return number === undefined || !Number.isFinite(Number(number)) ? undefined : Number(number);
}

/** Nanoseconds since 1970 do not fit a number. As milliseconds with a fraction they are right to a quarter of a microsecond. */
function millisecondsOf(nanos: unknown): number | undefined {
  const text = String(nanos);
  if (!/^[0-9]{1,19}$/.test(text)) return undefined;
  const padded = text.padStart(7, '0');
  return Number(`${padded.slice(0, -6)}.${padded.slice(-6)}`);
}

function idOf(id: unknown, length: number): string | undefined {
  if (typeof id !== 'string' || id.length !== length || !/^[0-9a-fA-F]+$/.test(id) || /^0+$/.test(id)) return undefined;
  return id.toLowerCase();
}

const textOf = (value: unknown): string => (typeof value === 'string' ? cut(value) : '');
/** The part is copied. V8's own slice would keep the whole text, which may be 2 MB long, for as long as the part lives. */
const cut = (text: string): string => (text.length <= textLengthMax ? text : Buffer.from(text.slice(0, textLengthMax)).toString());
const objectOf = (value: unknown): Json => (typeof value === 'object' && value !== null ? (value as Json) : {});

function listOf(holder: unknown, key: string): Json[] {
  const list = objectOf(holder)[key];
  return Array.isArray(list) ? list.filter((one): one is Json => typeof one === 'object' && one !== null) : [];
}
