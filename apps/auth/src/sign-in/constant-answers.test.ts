/** Neither the answer nor its time tells who has an account (ASVS 5.0 6.3.8). The test measures with real hashing. */
import { create } from '@bufbuild/protobuf';
import { isProblem, LoginRequestSchema } from '@cloakroom/contracts';
import { sampleInTurn, timingDifference } from '@cloakroom/testing';
import { hash, verify } from '@node-rs/argon2';
import { expect, it } from 'vitest';
import { contextOf, type Harness, ok, openHarness, signUp } from '../auth.harness.ts';
import { login } from './login.ts';
import type { Argon2 } from '../accounts/passwords.ts';
import { throttleLimits } from '../throttle/throttle.ts';

const email = 'ada@example.com';
/** The cost of a real sign-in, as in passwords.ts. */
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const argon2: Argon2 = { hash: (text) => hash(text, parameters), verify };
/** More than ten failures, which would be too small a sample. */
const limits = { ...throttleLimits, accountFailures: 1_000_000, addressFailures: 1_000_000 };
const rounds = 30;
/** Enough to see half a hash on a quiet machine. A load of 25 hid it twice in 90 rounds, so there may be six such blocks. */
const blockRounds = 90;
const blockCountMax = 6;

const attempt = ({ auth }: Harness, who: string) =>
  login(auth, contextOf(), create(LoginRequestSchema, { email: who, password: 'wrong password', remoteAddress: '192.0.2.1' }));

const sample = (harness: Harness, who: string, sampled: number) =>
  sampleInTurn([() => attempt(harness, email), () => attempt(harness, who)], { rounds: sampled });

/** Samples a planted difference in blocks until it tells. */
async function noticed(harness: Harness, who: string) {
  const [known, other]: [number[], number[]] = [[], []];
  for (let block = 1; ; block++) {
    const samples = await sample(harness, who, blockRounds);
    known.push(...samples[0]);
    other.push(...samples[1]);
    const difference = timingDifference(known, other);
    if (difference.tells || block === blockCountMax) return difference;
  }
}

async function withAccount(using: Argon2 = argon2): Promise<Harness> {
  const harness = await openHarness({ argon2: using, limits });
  ok(await signUp(harness, email));
  return harness;
}

it('an unknown account is answered as a wrong password is, in the same words', async () => {
  const harness = await withAccount();
  expect(await attempt(harness, 'nobody@example.com')).toEqual(await attempt(harness, email));
});

it('an unknown account takes the time of a wrong password', async () => {
  const harness = await withAccount();
  const [known, other] = await sample(harness, 'nobody@example.com', rounds);
  expect(timingDifference(known, other)).toMatchObject({ tells: false });
});

it('would be noticed: an early return, and a dummy hash at half the cost', { timeout: 180_000 }, async () => {
  let spared = (_hash: string): boolean => false;
  const careless = await withAccount({
    hash: argon2.hash,
    verify: (encoded, text) => (spared(encoded) ? Promise.resolve(false) : verify(encoded, text)),
  });
  const row = await careless.auth.database.selectFrom('accounts').select('password_hash').executeTakeFirstOrThrow();
  spared = (encoded) => encoded !== row.password_hash;
  expect(await noticed(careless, 'nobody@example.com')).toMatchObject({ tells: true });

  let made = 0;
  const cheap = await withAccount({
    hash: (text) => hash(text, (made += 1) === 1 ? { ...parameters, timeCost: 1 } : parameters),
    verify,
  });
  expect(isProblem(await attempt(cheap, email))).toBe(true);
  expect(await noticed(cheap, 'nobody@example.com')).toMatchObject({ tells: true });
});
