import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { criticalPath, unattributedPart } from './critical-path.ts';
import { type Phase, type Program, run, span, originMs } from './program.fixture.ts';
import { treeOf, walk } from './tree.ts';

/** Quarters of a millisecond are exact in binary, so sums can be compared without a tolerance. */
const workMs = fc.integer({ min: 1, max: 400 }).map((quarters) => quarters / 4);

/**
 * A span that ends while its parent works on could have been waited for, as far as anybody can see. So children that overlap each other last longer
 * than the work between their beginnings, whatever a test adds to that.
 */
const lasting = (child: Program): Program => ({ ...child, phases: [{ workMs: 500 }, ...child.phases] });

/** Programs of sequential and parallel children, calls to other services, and work that nobody waits for. */
const { program } = fc.letrec<{ program: Program; phase: Phase }>((tie) => ({
  phase: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    workMs.map((ms): Phase => ({ workMs: ms })),
    fc.array(tie('program'), { minLength: 1, maxLength: 3 }).map((together): Phase => ({ together })),
    fc
      .array(fc.record({ workMs: fc.constantFrom(0.25, 1), child: tie('program') }), { minLength: 2, maxLength: 3 })
      .map((steps): Phase => ({ staggered: steps.map((step) => ({ ...step, child: lasting(step.child) })) })),
    tie('program').map((child): Phase => ({ aside: { ...child, name: 'outbox order.events', kind: 'internal' } })),
  ),
  program: fc.record({
    name: fc.constantFrom('work', 'transaction', 'identity'),
    kind: fc.constantFrom('internal' as const, 'client' as const, 'server' as const),
    service: fc.constantFrom('gateway', 'auth', 'cart'),
    phases: fc.array(tie('phase'), { minLength: 1, maxLength: 4 }),
  }),
}));

/** The same program, with each piece of own work replaced. */
const eachWork = (
  given: Program,
  change: <Work extends { readonly workMs: number; readonly id?: string }>(work: Work) => Work,
): Program => ({
  ...given,
  phases: given.phases.map((phase) => {
    if ('aside' in phase) return { aside: eachWork(phase.aside, change) };
    if ('together' in phase) return { together: phase.together.map((child) => eachWork(child, change)) };
    if ('workMs' in phase) return change(phase);
    return { staggered: phase.staggered.map((step) => ({ ...change(step), child: eachWork(step.child, change) })) };
  }),
});

/** Each piece gets an id, so that it can be found again and made longer. */
function withIds(given: Program): { readonly program: Program; readonly ids: readonly string[] } {
  const ids: string[] = [];
  return { program: eachWork(given, (work) => ({ ...work, id: (ids.push(`w${ids.length}`), ids.at(-1)!) })), ids };
}

/** Three of them: a large program has hundreds, and another run takes others. */
const someOf = (ids: readonly string[], which: number): readonly string[] =>
  [0, 1, 2].flatMap((step) => ids[(which + step * 7) % Math.max(1, ids.length)] ?? []);

const longer = (given: Program, id: string, byMs: number): Program =>
  eachWork(given, (work) => (work.id === id ? { ...work, workMs: work.workMs + byMs } : work));

const pathOf = (given: Program) => {
  const done = run(given);
  const root = treeOf(done.spans[0]!, done.spans);
  return { ...done, root, steps: criticalPath(root) };
};

describe('the critical path of any request', () => {
  it('has no gap and no overlap, begins with the request, and ends with its answer', () => {
    fc.assert(
      fc.property(program, (given) => {
        const { steps, durationMs } = pathOf(given);
        let atMs = 0;
        for (const { startMs, endMs } of steps) {
          expect(startMs).toBe(atMs);
          expect(endMs).toBeGreaterThan(startMs);
          atMs = endMs;
        }
        expect(atMs).toBe(durationMs);
      }),
    );
  });

  it('gives each moment to a span that was at work then, and whose ancestors are all waited for', () => {
    fc.assert(
      fc.property(program, (given) => {
        for (const { node, startMs, endMs } of pathOf(given).steps) {
          expect(node.startMs).toBeLessThanOrEqual(startMs);
          expect(node.endMs).toBeGreaterThanOrEqual(endMs);
          for (let at = node; at.parent !== undefined; at = at.parent) expect(at.waited).toBe(true);
        }
      }),
    );
  });

  it('lengthens the answer by as much as a piece of work on it is lengthened', () => {
    fc.assert(
      fc.property(program, workMs, fc.nat(), (given, byMs, which) => {
        const { program: named, ids } = withIds(given);
        const before = pathOf(named);
        for (const id of someOf(ids, which)) {
          const work = before.works.get(id);
          if (work === undefined || !onPath(before, work)) continue;
          expect(pathOf(longer(named, id, byMs)).durationMs).toBe(before.durationMs + byMs);
        }
      }),
    );
  });

  it('holds all that can delay the answer: work beside it can only once it is on it', () => {
    fc.assert(
      fc.property(program, workMs, fc.nat(), (given, byMs, which) => {
        const { program: named, ids } = withIds(given);
        const before = pathOf(named);
        for (const id of someOf(ids, which)) {
          const after = pathOf(longer(named, id, byMs));
          const work = after.works.get(id);
          if (after.durationMs > before.durationMs) expect(work !== undefined && onPath(after, work)).toBe(true);
        }
      }),
    );
  });

  it('is the same, whatever the order in which spans come', () => {
    fc.assert(
      fc.property(program, fc.infiniteStream(fc.nat()), (given, numbers) => {
        const { spans, steps } = pathOf(given);
        const mixed = spans.map((one) => ({ one, at: numbers.next().value! })).toSorted((a, b) => a.at - b.at);
        const again = criticalPath(
          treeOf(
            spans[0]!,
            mixed.map(({ one }) => one),
          ),
        );
        const plain = (list: typeof steps) => list.map(({ startMs, endMs }) => [startMs, endMs]);
        expect(plain(again)).toEqual(plain(steps));
      }),
    );
  });
});

const onPath = ({ steps }: ReturnType<typeof pathOf>, work: { spanId: string; startMs: number; endMs: number }): boolean =>
  steps.some(({ node, startMs, endMs }) => node.span.spanId === work.spanId && startMs <= work.startMs && endMs >= work.endMs);

describe('spans that make no sense together', () => {
  const anySpan = fc.record({
    parent: fc.nat({ max: 12 }),
    startMs: fc.double({ min: -1e4, max: 1e4, noNaN: true }),
    lengthMs: fc.double({ min: 0, max: 1e4, noNaN: true }),
    kind: fc.constantFrom('internal' as const, 'client' as const, 'server' as const, 'producer' as const, 'consumer' as const),
  });

  it('still have a path without gap or overlap, and a part between 0 and 1 that nobody explains', () => {
    fc.assert(
      fc.property(fc.array(anySpan, { minLength: 1, maxLength: 12 }), (list) => {
        const id = (index: number) => (index + 1).toString(16).padStart(16, '0');
        const spans = list.map(({ parent, startMs, lengthMs, kind }, index) =>
          span({
            spanId: id(index),
            parentId: index === 0 ? undefined : id(parent),
            startMs: originMs + startMs,
            endMs: originMs + startMs + lengthMs,
            kind,
          }),
        );
        const root = treeOf(spans[0]!, spans);
        const steps = criticalPath(root);
        let atMs = root.startMs;
        for (const { startMs, endMs } of steps) {
          expect(startMs).toBe(atMs);
          expect(endMs).toBeGreaterThan(startMs);
          atMs = endMs;
        }
        expect(atMs).toBe(root.endMs);
        const part = unattributedPart(root, steps);
        expect(part).toBeGreaterThanOrEqual(0);
        expect(part).toBeLessThanOrEqual(1);
        expect(new Set([...walk(root)].map((node) => node.span.spanId)).size).toBe([...walk(root)].length);
      }),
    );
  });
});
