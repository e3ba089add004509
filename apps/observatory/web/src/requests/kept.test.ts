import { expect, it } from 'vitest';
import { keptWords } from './kept.tsx';

const nothingDropped = {
  traces: 12,
  spans: 240,
  bytes: 400_000,
  bytesMax: 10_485_760,
  forgottenTraces: 0,
  leftOutSpans: 0,
  refusedExports: 0,
};

it('the page says what is kept, and says nothing of drops while there are none', () => {
  expect(keptWords(nothingDropped)).toBe('The Observatory keeps 12 traces in 0 MB of 10 MB.');
});

it('the page says what was dropped, each kind with its reason', () => {
  expect(keptWords({ ...nothingDropped, forgottenTraces: 12_345, leftOutSpans: 1, refusedExports: 3 })).toBe(
    'The Observatory keeps 12 traces in 0 MB of 10 MB. Dropped since its start: the 12,345 oldest traces, to make room; 1 span, beyond the most that one trace may have; 3 exports, too large or too many at once.',
  );
});
