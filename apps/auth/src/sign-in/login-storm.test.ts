/** A storm of sign-ins must not slow down requests that only resolve a session. One run measures both in turn, so only their ratio counts. */
import { create } from '@bufbuild/protobuf';
import { isProblem, LoginRequestSchema } from '@cloakroom/contracts';
import { watchCrowd } from '@cloakroom/testing';
import { hash, verify } from '@node-rs/argon2';
import { expect, it } from 'vitest';
import { contextOf, guest, type Harness, look, ok, openHarness, signUp } from '../auth.harness.ts';
import { login } from './login.ts';
import type { Argon2 } from '../accounts/passwords.ts';
import { throttleLimits } from '../throttle/throttle.ts';

const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const argon2: Argon2 = { hash: (text) => hash(text, parameters), verify };
const limits = { ...throttleLimits, accountFailures: 1_000_000, addressFailures: 1_000_000, guestsPerHourInAll: 1_000_000 };
const windowMs = 150;
const turns = 3;
/** A third of the measured ratio; a hash on the event loop itself leaves a fiftieth. */
const ratioMin = 0.15;
/** Other processes slow only the stormy half, since hashing waits for them too. Twice the ratio that a hash on the loop leaves. */
const crowdedRatioMin = 0.04;

/** @returns how many resolves were done in the window */
async function resolves(harness: Harness, token: string): Promise<number> {
  const endMs = performance.now() + windowMs;
  let done = 0;
  while (performance.now() < endMs) {
    await look(harness, token);
    done += 1;
    // Lets the event loop turn between calls, as in a server whose calls come in from a socket.
    if (done % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return done;
}

/** Sends more sign-ins than can wait, again and again, ten times faster than Retry-After asks for, until told to stop. */
function storm({ auth }: Harness): () => Promise<{ answered: number; shed: number }> {
  let over = false;
  const told = { answered: 0, shed: 0 };
  const attack = async (who: string): Promise<void> => {
    while (!over) {
      const request = create(LoginRequestSchema, { email: who, password: 'wrong password', remoteAddress: '192.0.2.1' });
      const answer = await login(auth, contextOf(), request);
      if (isProblem(answer) && answer.problem === 'invalid_credentials') told.answered += 1;
      else told.shed += 1;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  const attackers = Array.from({ length: 64 }, (_, i) => attack(`${i}@example.com`));
  return async () => {
    over = true;
    await Promise.all(attackers);
    return told;
  };
}

async function measure(using: Argon2): Promise<{ ratio: number; answered: number; shed: number }> {
  const harness = await openHarness({ argon2: using, limits });
  const { token } = await guest(harness);
  await resolves(harness, token);
  const total = { quiet: 0, stormy: 0, answered: 0, shed: 0 };
  for (let turn = 0; turn < turns; turn += 1) {
    total.quiet += await resolves(harness, token);
    const end = storm(harness);
    total.stormy += await resolves(harness, token);
    const { answered, shed } = await end();
    total.answered += answered;
    total.shed += shed;
  }
  return { ...total, ratio: total.stormy / total.quiet };
}

it('leaves resolve a share of its throughput, and refuses what cannot wait', async () => {
  const crowd = watchCrowd();
  const { ratio, answered, shed } = await measure(argon2);
  expect(ratio).toBeGreaterThan(Math.max(crowdedRatioMin, ratioMin / crowd.roomMs(1)));
  expect(answered).toBeGreaterThan(0);
  expect(shed).toBeGreaterThan(0);
});

it('would be noticed: hashing that holds the loop', async () => {
  const holding: Argon2 = {
    hash: argon2.hash,
    verify: () => {
      const endMs = performance.now() + 20;
      while (performance.now() < endMs);
      return Promise.resolve(false);
    },
  };
  expect((await measure(holding)).ratio).toBeLessThan(ratioMin);
});

it('lets the owner on a known device in while strangers fill the line', async () => {
  const harness = await openHarness({ argon2, limits });
  const { knownDevice } = ok(await signUp(harness, 'ada@example.com'));
  const end = storm(harness);
  const signIn = (cookie: string) =>
    login(
      harness.auth,
      contextOf(),
      create(LoginRequestSchema, { email: 'ada@example.com', password: 'correct horse battery staple', knownDevice: cookie }),
    );
  for (let i = 0; i < 5; i += 1) expect(isProblem(await signIn(knownDevice!))).toBe(false);
  expect((await end()).shed).toBeGreaterThan(0);
});
