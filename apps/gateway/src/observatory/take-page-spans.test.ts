import { observed } from '@cloakroom/contracts';
import { afterEach, describe, expect, it } from 'vitest';
import { ask, openStage, type Stage, type Told } from '../testing/gateway.fixture.ts';
import { type SpanWatch, watchSpans } from '@cloakroom/testing';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';
const traceparent = `00-${traceId}-${spanId}-01`;
const told = (stage: Stage, spans: unknown): Promise<Told> =>
  ask(stage.url, '/api/page-spans', {
    method: 'POST',
    body: { spans },
    headers: { 'user-agent': 'Mozilla/5.0 (X11; Linux) Firefox/140.0' },
  });
const span = (more: object = {}) => ({ name: 'add to cart', traceparent, startedAtMs: Date.now() - 100.5, durationMs: 80.25, ...more });

const stages: Stage[] = [];
let watch: SpanWatch | undefined;
async function stageOf(provider: string): Promise<Stage> {
  const stage = await openStage({ PROVIDER: provider });
  stages.push(stage);
  return stage;
}
afterEach(async () => {
  watch?.stop();
  watch = undefined;
  for (const stage of stages.splice(0)) await stage.stop();
});

describe('times that a page tells', () => {
  it.each(['embedded', 'native'])('become a span of the request that the page sent, on %s', async (provider) => {
    watch = await watchSpans();
    const one = span();
    const answer = await told(await stageOf(provider), [one, span({ name: 'sign in', durationMs: 0 })]);
    expect(answer.status).toBe(204);
    const page = watch.named('page add to cart')!;
    expect(page).toMatchObject({ traceId, parentId: spanId });
    expect(page.startedAtMs).toBeCloseTo(one.startedAtMs, 2);
    expect(page.durationMs).toBeCloseTo(80.25, 2);
    expect(page.attributes).toMatchObject({
      [observed.browserSpan]: spanId,
      [observed.app]: 'browser',
      [observed.device]: 'Firefox on Linux',
    });
    expect(watch.named('page sign in')).toBeDefined();
    expect(watch.named('POST /api/page-spans'), 'telling makes no span of its own').toBeUndefined();
  });

  it('are not taken where no Observatory watches, nor by a shop that is not on its own machine', async () => {
    expect((await told(await stageOf('embedded'), [span()])).status).toBe(404);
    watch = await watchSpans();
    for (const provider of ['external', 'docker']) expect((await told(await stageOf(provider), [span()])).status).toBe(404);
    expect(watch.spans.filter(({ name }) => name.startsWith('page '))).toEqual([]);
  });

  it('are refused where they are too many, of another time, or more than a name and times', async () => {
    watch = await watchSpans();
    const stage = await stageOf('embedded');
    const wrong: readonly (readonly [string, unknown])[] = [
      ['none', []],
      ['too many', Array.from({ length: 21 }, () => span())],
      ['an e-mail for a name', [span({ name: 'ada@example.com' })]],
      ['a name that has no end', [span({ name: 'a'.repeat(61) })]],
      ['no traceparent', [span({ traceparent: 'x' })]],
      ['a time long ago', [span({ startedAtMs: Date.now() - 3_600_000 })]],
      ['a time to come', [span({ startedAtMs: Date.now() + 60_000 })]],
      ['an endless click', [span({ durationMs: 1e9 })]],
    ];
    for (const [what, spans] of wrong) expect([what, (await told(stage, spans)).status]).toEqual([what, 400]);
    const foreign = await ask(stage.url, '/api/page-spans', {
      method: 'POST',
      body: { spans: [span()] },
      headers: { origin: 'https://evil.example' },
    });
    expect(foreign.status, 'the rule of origins holds here too').toBe(403);
    expect(watch.spans.filter(({ name }) => name.startsWith('page '))).toEqual([]);
  });
});
