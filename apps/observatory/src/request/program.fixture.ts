/** Requests that are made up as programs and run by an ideal clock, so that a test knows what each span waited for. */
import type { StoredSpan } from '../span.ts';

export interface Program {
  readonly name: string;
  readonly kind: StoredSpan['kind'];
  readonly service: string;
  readonly attributes?: StoredSpan['attributes'];
  readonly phases: readonly Phase[];
}

export type Phase =
  /** The span itself works. */
  | { readonly workMs: number; readonly id?: string }
  /** All begin at once, and the span waits for the last. */
  | { readonly together: readonly Program[] }
  /** The span begins one after the other, works between, and then waits for the last. */
  | { readonly staggered: readonly { readonly workMs: number; readonly id?: string; readonly child: Program }[] }
  /** It is begun, and nobody waits for it. */
  | { readonly aside: Program };

export interface Run {
  readonly spans: readonly StoredSpan[];
  readonly durationMs: number;
  /** When the span's own work with this id was done. */
  readonly works: ReadonlyMap<string, { readonly spanId: string; readonly startMs: number; readonly endMs: number }>;
}

export const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
/** No whole millisecond, because those count as read from a clock that cuts off fractions. */
export const originMs = 1_790_000_000_000.125;

export function run(program: Program): Run {
  const spans: StoredSpan[] = [];
  const works = new Map<string, { spanId: string; startMs: number; endMs: number }>();
  const enter = (one: Program, startMs: number, parentId: string | undefined): number => {
    const spanId = (spans.length + 1).toString(16).padStart(16, '0');
    const index = spans.push(span({ ...one, spanId, parentId, startMs })) - 1;
    let atMs = startMs;
    const work = ({ workMs, id }: { readonly workMs: number; readonly id?: string }): void => {
      if (id !== undefined) works.set(id, { spanId, startMs: atMs - originMs, endMs: atMs + workMs - originMs });
      atMs += workMs;
    };
    for (const phase of one.phases) {
      if ('aside' in phase) enter(phase.aside, atMs, spanId);
      else if ('together' in phase) atMs = Math.max(atMs, ...phase.together.map((child) => enter(child, atMs, spanId)));
      else if ('workMs' in phase) work(phase);
      else {
        const ends = phase.staggered.map((step) => (work(step), enter(step.child, atMs, spanId)));
        atMs = Math.max(atMs, ...ends);
      }
    }
    spans[index] = { ...spans[index]!, endMs: atMs };
    return atMs;
  };
  const endMs = enter(program, originMs, undefined);
  return { spans, durationMs: endMs - originMs, works };
}

/** A span with what a test says of it. */
export function span(given: Partial<StoredSpan> & Pick<StoredSpan, 'spanId' | 'startMs'>): StoredSpan {
  const { spanId, startMs, endMs = startMs, name = 'work', kind = 'internal', service = 'cloakroom', parentId, failure } = given;
  const { attributes = {}, links = [], traceId: trace = traceId } = given;
  return { traceId: trace, spanId, parentId, name, kind, startMs, endMs, failure, service, attributes, links };
}

/** Both sides of an rpc, with the way between them. */
export function call(
  method: string,
  caller: string,
  wayMs: number,
  phases: readonly Phase[],
  ids: { there?: string; back?: string } = {},
): Program {
  const attributes = { 'rpc.method': method };
  const service = /^cloakroom\.([a-z]+)\./.exec(method)![1]!;
  const server: Program = { name: method, kind: 'server', service, attributes, phases };
  const way = (id: string | undefined): Phase => ({ workMs: wayMs, ...(id !== undefined && { id }) });
  return { name: method, kind: 'client', service: caller, attributes, phases: [way(ids.there), { together: [server] }, way(ids.back)] };
}
