/** The waits that a fault made inside a span, as the process that waited measured them. The critical path is found without them. */
import { observed } from '@cloakroom/contracts';
import type { SpanView } from '../api.ts';
import { textOf } from './lanes.ts';
import type { Node } from './tree.ts';

/** @param originMs when the request began */
export function faultWaitsOf({ span, startMs }: Node, originMs: number): SpanView['faultWaits'] {
  // A span whose clock was put right takes its waits along.
  const shiftMs = startMs - (span.startMs - originMs);
  return [...textOf(span.attributes[observed.faultWaits]).matchAll(/(\d+) ([\d.]+)/g)].map(([, fromMs, lengthMs]) => ({
    startMs: Number(fromMs) - originMs + shiftMs,
    durationMs: Number(lengthMs),
  }));
}
