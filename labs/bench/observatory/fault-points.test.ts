import { expect, it } from 'vitest';
import { benchFaultPoints } from './fault-points.ts';

it('the benchmark of fault points passes each of them, and sums up what a request passes', () => {
  const said: string[] = [];
  benchFaultPoints(2, (line) => void said.push(line), 100);
  expect(said[0]).toMatch(/median of 2 pairs of 100/);
  for (const point of ['rpc', 'cart view', 'session store', 'database', 'publish'])
    expect(said.join('\n')).toMatch(new RegExp(`^ *${point} +-?\\d+\\.\\d ns \\(`, 'm'));
  expect(said.slice(-2).map((line) => line.replace(/-?\d+\.\d+/, 'N'))).toEqual([
    'a warm hybrid request passes 2: N us at most',
    'a cold hybrid request passes 5: N us at most',
  ]);
});
