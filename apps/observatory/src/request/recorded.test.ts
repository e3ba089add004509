/**
 * Views of requests that a shop really served: traces of embedded, recorded on 2026-11-28 from what its services sent to `/v1/traces`, a span a line.
 * Two devices took part, an iPhone's page that was open and a Firefox that acted; both told their clicks. The files with the views were read by a
 * person once, and are compared since: `vitest run -u` writes them anew.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RequestView } from '../api.ts';
import type { SpanContext } from '../span.ts';
import { parseOtlp } from './parse-otlp.ts';
import { summarise, viewRequest } from './request-view.ts';

const folder = join(import.meta.dirname, 'recorded');

function recorded(name: string): { readonly view: RequestView; readonly context: SpanContext } {
  const lines = readFileSync(join(folder, `${name}.jsonl`), 'utf8')
    .trim()
    .split('\n');
  const spans = lines.flatMap((line) => parseOtlp(JSON.parse(line)));
  expect(spans).toHaveLength(lines.length);
  const context: SpanContext = {
    spansOf: (id) => spans.filter(({ traceId }) => traceId === id),
    tracesThatLinkTo: (id) => [
      ...new Set(spans.filter(({ links }) => links.some((link) => link.traceId === id)).map((one) => one.traceId)),
    ],
  };
  const { traceId } = spans.find(({ attributes }) => attributes['http.route'] !== undefined)!;
  return { view: viewRequest(context.spansOf(traceId), context)!, context };
}

describe.each(['sign-in', 'add-to-cart', 'get-cart', 'order'])('the recorded request %s', (name) => {
  it('has the lanes, the tree, the path and the story that it had when a person read them', async () => {
    await expect(draw(recorded(name).view)).toMatchFileSnapshot(join(folder, `${name}.view.txt`));
  });

  it('has a path that is as long as the request, and at most a tenth of it that nobody explains', () => {
    const { view, context } = recorded(name);
    let atMs = 0;
    for (const { startMs, durationMs } of view.path) {
      expect(startMs).toBeCloseTo(atMs, 9);
      atMs = startMs + durationMs;
    }
    expect(atMs).toBeCloseTo(view.durationMs, 9);
    expect(view.path.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
    expect(view.spans.reduce((sum, { pathMs }) => sum + pathMs, 0)).toBeCloseTo(view.durationMs, 9);
    expect(view.unattributedPart).toBeLessThanOrEqual(0.1);
    expect(summarise(context.spansOf(view.traceId))).toMatchObject({ name: view.name, durationMs: view.durationMs });
  });
});

const ms = (value: number): string => value.toFixed(2).padStart(8);

function draw({ story, lanes, spans, path, settledMs, durationMs, decision, gateway, related }: RequestView): string {
  const below = (parentId: string | undefined, depth: number): string[] =>
    spans
      .filter((span) => span.parentId === parentId)
      .flatMap((span) => [
        `${ms(span.startMs)} ${ms(span.durationMs)} ${span.afterAnswer ? 'after ' : '      '}${'  '.repeat(depth)}${span.name} [${span.lane.replace(/-[0-9a-f]{8}-[0-9a-f-]{27}/, ' of a session')}]`,
        ...below(span.spanId, depth + 1),
      ]);
  return [
    ...story,
    '',
    `answered after ${durationMs.toFixed(2)} ms, settled after ${settledMs.toFixed(2)} ms, by ${gateway}, identity ${decision ?? 'not asked'}`,
    `lanes: ${lanes.map(({ title }) => title).join(' | ')}`,
    `related: ${related.length}`,
    '',
    ...below(undefined, 0),
    '',
    ...path.map((step) => `${ms(step.startMs)} ${ms(step.durationMs)} ${step.kind.padEnd(9)} ${step.name} [${step.lane}]`),
    '',
  ].join('\n');
}
