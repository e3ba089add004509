import { expect, it } from 'vitest';
import { benchPassports } from './passports.ts';

it('the passport benchmark signs and verifies by both algorithms, and compares one with itself', async () => {
  const said: string[] = [];
  await benchPassports(2, (line) => void said.push(line), 20);
  expect(said[0]).toMatch(/median of 2 pairs of 20/);
  expect(said[1]).toMatch(/ES256 +Ed25519 +Ed25519 \/ ES256 +ES256 \/ ES256/);
  for (const step of ['sign', 'verify', 'verify, remembered', 'a bare key: sign'])
    expect(said.join('\n')).toMatch(new RegExp(`^ *${step} +\\d+\\.\\d +\\d+\\.\\d +\\d+\\.\\d\\d \\(`, 'm'));
});
