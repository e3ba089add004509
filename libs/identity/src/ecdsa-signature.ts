/**
 * The two forms of an ECDSA signature on P-256: the 64 bytes r | s of a JWS (RFC 7518 3.4), and the DER that OpenSSL speaks (RFC 3279 2.2.3).
 *
 * node:crypto converts too, when it is given `{ key, dsaEncoding: 'ieee-p1363' }`. But for every such object it throws and catches two errors inside,
 * to see that it is no key (Node 24). A bare key and this file cost about half as much (docs/keys.md has the figures).
 */

const half = 32;

/** @param signature 64 bytes. One signature has one DER, so nothing is spelt twice. */
export function derOf(signature: Buffer): Buffer {
  const numbers = [integer(signature.subarray(0, half)), integer(signature.subarray(half))];
  const length = numbers[0]!.length + numbers[1]!.length;
  return Buffer.concat([Buffer.of(0x30, length), ...numbers], 2 + length);
}

/** The shortest form: no zero in front, but one where the highest bit would be a sign. */
function integer(bytes: Buffer): Buffer {
  let from = 0;
  while (from < half - 1 && bytes[from] === 0) from += 1;
  const sign = bytes[from]! >= 0x80 ? [0] : [];
  return Buffer.from([0x02, sign.length + half - from, ...sign, ...bytes.subarray(from)]);
}

/** @param der as OpenSSL makes it. @returns 64 bytes */
export function bytesOf(der: Buffer): Buffer {
  const signature = Buffer.alloc(2 * half);
  let at = 2;
  for (const end of [half, 2 * half]) {
    const next = at + 2 + der[at + 1]!;
    // A number has a leading zero, or fewer than 32 bytes.
    const number = der.subarray(Math.max(at + 2, next - half), next);
    number.copy(signature, end - number.length);
    at = next;
  }
  return signature;
}
