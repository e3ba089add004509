/**
 * `npm run bench -- passports`: what it costs auth to sign a passport and a service to verify it, by ES256 and by Ed25519. One process, no sockets. A
 * pair is three blocks in a row, in an order that moves on: ES256, Ed25519, and ES256 once more, which says what a ratio of equals looks like. CPU time
 * counts, since others use the machine.
 */
import { generateKeyPairSync, type KeyObject, sign as signBytes, verify as verifyBytes } from 'node:crypto';
import { loadavg } from 'node:os';
import { isProblem } from '@cloakroom/contracts';
import { createPassportVerifier, type JwsAlgorithm, type KeyRing, passportIssuer, signPassport } from '@cloakroom/identity';
import { systemClock } from '@cloakroom/platform';
import { align } from '../../../infra/cli/status.ts';
import { median, ratios, rotated, spread, type Spread } from '../measuring/statistics.ts';

/** Keeps a block of verifications below a tenth of a second, so that the machine changes little within a pair. */
const countDefault = 400;

const blocks = ['ES256', 'Ed25519', 'ES256 again'] as const;
type Block = (typeof blocks)[number];
const steps = [
  'sign',
  'verify',
  'verify, remembered',
  'a bare key: sign',
  'a bare key: verify',
  '{ key, dsaEncoding }: sign',
  '{ key, dsaEncoding }: verify',
] as const;

export interface PassportCost {
  readonly step: (typeof steps)[number];
  /** Microseconds of CPU for one passport, the median of the blocks. */
  readonly us: Readonly<Record<Block, number>>;
  readonly ratio: Spread;
  readonly same: Spread;
}

interface Signer {
  sign(bytes: Buffer): Buffer;
  verify(bytes: Buffer, signature: Buffer): boolean;
}

interface Side {
  readonly sign: () => string;
  readonly keys: KeyRing;
  /** The signature alone: by a bare key, and by the object that node:crypto takes for `r | s` (libs/identity ecdsa-signature.ts). */
  readonly signers: readonly Signer[];
}

function sideOf(algorithm: JwsAlgorithm): Side {
  const pair: { readonly privateKey: KeyObject; readonly publicKey: KeyObject } =
    algorithm === 'Ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const keys = { find: () => pair.publicKey, refresh: () => Promise.resolve(), retire: () => undefined };
  let made = 0;
  const sign = (): string => {
    const iat = systemClock.nowMs() / 1000;
    const person = { sub: 'u_0190a6b1-7c1e-7a30-9d53-3f3b8f0f1c2d', sid: 'h-0190a6b17c1e7a309d533f3b8f0f1c2d', state: 'user' } as const;
    const proof = { acr: 'aal1', amr: ['pwd'], auth_time: iat - 60, epoch: 1, gepoch: 0, region: 'local' };
    // Each is another passport, as those of different requests are.
    const txn = (made += 1).toString(16).padStart(32, '0');
    return signPassport({ iss: passportIssuer, aud: 'cart', ...person, ...proof, txn, iat, exp: iat + 60 }, { kid: 'k1', ...pair });
  };
  const digest = algorithm === 'Ed25519' ? null : 'sha256';
  const { privateKey, publicKey } = pair;
  const signers: readonly Signer[] = [
    {
      sign: (bytes) => signBytes(digest, bytes, privateKey),
      verify: (bytes, signature) => verifyBytes(digest, bytes, publicKey, signature),
    },
    {
      sign: (bytes) => signBytes(digest, bytes, { key: privateKey, dsaEncoding: 'ieee-p1363' }),
      verify: (bytes, signature) => verifyBytes(digest, bytes, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature),
    },
  ];
  return { sign, keys, signers };
}

async function spend(work: () => unknown, count: number): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}

/** @returns microseconds of CPU for each step of one block */
async function block({ sign, keys, signers }: Side, count: number): Promise<number[]> {
  const passports: string[] = [];
  const signed = await spend(() => {
    for (let i = 0; i < count; i += 1) passports.push(sign());
  }, count);
  const verifier = createPassportVerifier({ audience: 'cart', keys, clock: systemClock });
  const verifyAll = async (): Promise<void> => {
    for (const passport of passports)
      if (isProblem(await verifier.verify(passport))) throw new Error('a passport of the benchmark was refused');
  };
  const parts = passports.map((passport) => Buffer.from(passport.slice(0, passport.lastIndexOf('.'))));
  const costs = [signed, await spend(verifyAll, count), await spend(verifyAll, count)];
  for (const signer of signers) {
    const signatures: Buffer[] = [];
    costs.push(await spend(() => parts.forEach((bytes) => signatures.push(signer.sign(bytes))), count));
    costs.push(await spend(() => parts.forEach((bytes, at) => signer.verify(bytes, signatures[at]!)), count));
  }
  return costs;
}

export async function measurePassports(pairs: number, count = countDefault): Promise<PassportCost[]> {
  const sides = { ES256: sideOf('ES256'), Ed25519: sideOf('Ed25519'), 'ES256 again': sideOf('ES256') };
  const measured: Record<Block, number[][]> = { ES256: [], Ed25519: [], 'ES256 again': [] };
  // The first round is compiled while it runs, and not counted.
  for (const name of blocks) await block(sides[name], count);
  for (let pair = 0; pair < pairs; pair += 1)
    for (const name of rotated(blocks, pair)) measured[name].push(await block(sides[name], count));
  return steps.map((step, at) => {
    const of = (name: Block): number[] => measured[name].map((costs) => costs[at]!);
    return {
      step,
      us: { ES256: median(of('ES256')), Ed25519: median(of('Ed25519')), 'ES256 again': median(of('ES256 again')) },
      ratio: spread(ratios(of('Ed25519'), of('ES256'))),
      same: spread(ratios(of('ES256 again'), of('ES256'))),
    };
  });
}

const shown = ({ median: middle, low, high }: Spread): string => `${middle.toFixed(2)} (${low.toFixed(2)}-${high.toFixed(2)})`;

export async function benchPassports(pairs: number, print: (line: string) => void, count = countDefault): Promise<void> {
  const load = loadavg()[0]!.toFixed(1);
  const rows = (await measurePassports(pairs, count)).map(({ step, us, ratio, same }) => [
    step,
    us.ES256.toFixed(1),
    us.Ed25519.toFixed(1),
    shown(ratio),
    shown(same),
  ]);
  print(`CPU us a passport, median of ${pairs} pairs of ${count}; ratio: median (range). Load of the machine at the start ${load}.`);
  for (const line of align([['', 'ES256', 'Ed25519', 'Ed25519 / ES256', 'ES256 / ES256'], ...rows])) print(line);
}
