/** W3C Trace Context, level 1: https://www.w3.org/TR/trace-context/ */
import { randomBytes } from 'node:crypto';

/** W3C Trace Context of this hop. */
export interface TraceContext {
  readonly traceId: string;
  readonly spanId: string;
  /** `00-<traceId>-<spanId>-<flags>`, sent to the next hop. */
  readonly traceparent: string;
}

/** @returns `length` random bytes; node:crypto's randomBytes outside tests */
export type RandomBytes = (length: number) => Uint8Array;

/** Enough for 170 traces: a call into the generator costs as much for 8 bytes as for these. */
const poolBytes = 4_096;

/**
 * Random bytes for ids of traces, taken from the generator by the thousand. Each byte is given out once, and a used-up pool is left to its holders.
 * Not for secrets: bytes in the pool can be seen in the memory of the process before they are used.
 */
export function pooledRandomBytes(random: RandomBytes = randomBytes): RandomBytes {
  let pool = new Uint8Array(0);
  let at = 0;
  return (length) => {
    if (length > poolBytes) return random(length);
    if (at + length > pool.length) [pool, at] = [Uint8Array.from(random(poolBytes)), 0];
    return pool.subarray(at, (at += length));
  };
}

/** A trace that begins here. It is sampled, since the platform exists to be watched. */
export function startTrace(random: RandomBytes): TraceContext {
  return traceContext(randomId(16, random), randomId(8, random), true);
}

/** This hop of the caller's trace. A missing or invalid header begins a new one (section 3.2.2.5: it must not be passed on). */
export function continueTrace(traceparent: string | undefined, random: RandomBytes): TraceContext {
  const caller = parseTraceparent(traceparent);
  // Version 00 knows only the flag "sampled".
  return caller === undefined ? startTrace(random) : traceContext(caller.traceId, randomId(8, random), isSampled(caller.flags));
}

export function parseTraceparent(
  traceparent: string | undefined,
): { readonly traceId: string; readonly spanId: string; readonly flags: string } | undefined {
  const match = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(traceparent ?? '');
  if (match === null || match[0].length > lengthMax) return undefined;
  const [, version, traceId, spanId, flags, future] = match;
  // Version ff is forbidden; only a later version may carry more fields; ids of zeros mean "none".
  if (version === 'ff' || (version === '00' && future !== undefined)) return undefined;
  if (/^0+$/.test(traceId!) || /^0+$/.test(spanId!)) return undefined;
  return { traceId: traceId!, spanId: spanId!, flags: flags! };
}

/** Version 00 has 55 characters. A later one may be longer, but this bounds the length that a caller can make us carry. */
const lengthMax = 128;

/** Two hexadecimal digits. */
export function isSampled(flags: string): boolean {
  return (Number.parseInt(flags, 16) & 1) === 1;
}

export function traceContext(traceId: string, spanId: string, sampled: boolean): TraceContext {
  return Object.freeze({ traceId, spanId, traceparent: `00-${traceId}-${spanId}-${sampled ? '01' : '00'}` });
}

function randomId(length: number, random: RandomBytes): string {
  const id = Buffer.from(random(length)).toString('hex');
  if (id.length !== length * 2) throw new RangeError(`an id needs ${length} random bytes`);
  return /^0+$/.test(id) ? `${id.slice(0, -1)}1` : id;
}
