import { expect, it } from 'vitest';
import { answeredIn } from './answered.ts';
import { recorded } from './recorded.fixture.ts';

const [hop] = recorded.spans;
const server = { ...hop!, spanId: 'server', lane: 'gateway-1', startMs: 12, durationMs: 80 };

it('tells the gateway’s answer apart from the moment in which the page had it', () => {
  const page = { ...hop!, spanId: 'page', parentId: undefined, lane: 'browser', startMs: 0, durationMs: 307 };
  const view = { gateway: 'gateway-1', durationMs: 307, spans: [page, { ...server, parentId: 'page' }] };
  expect(answeredIn(view)).toBe('gateway-1 answered after 92 ms, the page had it after 307 ms');
});

it('says the gateway’s time alone where no page told its own', () => {
  const spans = [{ ...server, startMs: 0, parentId: undefined }];
  expect(answeredIn({ gateway: 'gateway-1', durationMs: 80, spans })).toBe('gateway-1 answered after 80 ms');
});
