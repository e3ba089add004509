import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { expect, it } from 'vitest';
import { bytesOf, derOf } from './ecdsa-signature.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const p1363 = { dsaEncoding: 'ieee-p1363' } as const;

it('both forms of a signature are what node:crypto makes of them, whatever r and s begin with', () => {
  const firstBytes = new Set<string>();
  for (let i = 0; i < 2_000; i += 1) {
    const message = Buffer.from(String(i));
    const der = sign('sha256', message, privateKey);
    const bytes = bytesOf(der);
    expect(bytes).toHaveLength(64);
    expect(derOf(bytes)).toEqual(der);
    for (const first of [bytes[0]!, bytes[32]!]) firstBytes.add(first === 0 ? 'zero' : first >= 0x80 ? 'high' : 'low');
    if (i % 20 > 0) continue;
    expect(verify('sha256', message, { key: publicKey, ...p1363 }, bytes)).toBe(true);
    expect(verify('sha256', message, publicKey, derOf(sign('sha256', message, { key: privateKey, ...p1363 })))).toBe(true);
  }
  // With 4,000 numbers none of these kinds is left out but once in six million runs.
  expect(firstBytes).toEqual(new Set(['zero', 'high', 'low']));
});

it.each([
  ['0', '020100'],
  ['1', '020101'],
  ['7f', '02017f'],
  ['80', '02020080'],
  ['0100', '02020100'],
  ['ff'.repeat(32), `022100${'ff'.repeat(32)}`],
  [`7f${'00'.repeat(31)}`, `02207f${'00'.repeat(31)}`],
])('the number %s has its one shortest DER, and comes back', (number, der) => {
  const bytes = Buffer.from(number.padStart(64, '0'), 'hex');
  const both = derOf(Buffer.concat([bytes, bytes]));
  expect(both.toString('hex')).toBe(`30${der.length.toString(16).padStart(2, '0')}${der}${der}`);
  expect(bytesOf(both)).toEqual(Buffer.concat([bytes, bytes]));
});
