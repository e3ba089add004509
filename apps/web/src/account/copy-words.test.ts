import { expect, it } from 'vitest';
import { copyWords } from './copy-words.ts';

it('a copy names its home and its age, and says that changes are refused', () => {
  expect(copyWords({ home: 'eu', ageMs: 12_300 })).toBe(
    'Your region, eu, cannot be reached. This is what it said 12 s ago. Changes are refused until it answers again.',
  );
  expect([0, 119_000, 150_000].map((ageMs) => / said (.*) ago/.exec(copyWords({ home: 'eu', ageMs }))?.[1])).toEqual([
    '1 s',
    '119 s',
    '2 min',
  ]);
});
