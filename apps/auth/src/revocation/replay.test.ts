import { create } from '@bufbuild/protobuf';
import { LogoutRequestSchema, ReauthenticateRequestSchema } from '@cloakroom/contracts';
import { MemorySessionStore, parseToken, type SessionRecord, type SessionStore } from '@cloakroom/session';
import { armFaults, withExperiment } from '@cloakroom/platform';
import { afterEach, expect, it, vi } from 'vitest';
import { contextOf, breakable, guest, type Harness, look, ok, openHarness, password, personWith, signIn, signUp } from '../auth.harness.ts';
import { raiseEpoch } from './epochs.ts';
import { logout } from '../sessions/logout.ts';
import { reauthenticate } from '../sign-in/reauthenticate.ts';
import { replayRevocations } from './replay.ts';

afterEach(() => armFaults(undefined));

const email = 'ada@example.com';
const alive = async (harness: Harness, token: string) => (await look(harness, token)).session !== undefined;
const recordOf = async ({ auth, clock }: Harness, token: string) =>
  (await auth.store.resolve(parseToken(token, auth.macKeys)!.key, clock.nowMs(), undefined))!;

/** The same auth on a store that restarted with the data of the moment when `records` were read. It forgot everything since. */
async function onRolledBackStore(harness: Harness, records: readonly SessionRecord[]): Promise<Harness> {
  const broken = new Set<keyof SessionStore>();
  const store = breakable(new MemorySessionStore({ incarnation: 'second' }), broken);
  for (const { epoch: _epoch, ...session } of records) await store.create(session, 10, harness.clock.nowMs());
  return { ...harness, broken, auth: { ...harness.auth, store } };
}

async function withTheDead() {
  const harness = await openHarness();
  const signedOut = ok(await signUp(harness, email)).token!;
  const proved = ok(await signIn(harness, email)).token!;
  const revoked = ok(await signUp(harness, 'grace@example.com'));
  const living = (await guest(harness)).token;
  const tokens = [signedOut, proved, revoked.token!, living];
  const records = await Promise.all(tokens.map((token) => recordOf(harness, token)));
  harness.clock.advance(1_000);
  await logout(harness.auth, contextOf(), create(LogoutRequestSchema, { token: signedOut }));
  const request = create(ReauthenticateRequestSchema, { token: proved, password });
  ok(await reauthenticate(harness.auth, await personWith(harness, proved), request));
  await raiseEpoch(harness.auth, undefined, revoked.session!.subject!);
  return { harness: await onRolledBackStore(harness, records), tokens };
}

it('keeps the dead dead after the store forgot them, and the living alive', async () => {
  const { harness, tokens } = await withTheDead();
  // Without the replay these sessions would live again, so the test can fail.
  expect(await Promise.all(tokens.map((token) => alive(harness, token)))).toEqual([true, true, true, true]);
  replayRevocations(harness.auth);
  expect(await Promise.all(tokens.map((token) => alive(harness, token)))).toEqual([false, false, false, true]);
});

it('resolves nobody while the revocations cannot be replayed', async () => {
  const { harness, tokens } = await withTheDead();
  harness.broken.add('buryToken');
  replayRevocations(harness.auth);
  await expect(alive(harness, tokens[3]!)).rejects.toMatchObject({ name: 'StoreUnavailable' });
  harness.broken.clear();
  expect(await alive(harness, tokens[0]!)).toBe(false);
  expect(await alive(harness, tokens[3]!)).toBe(true);
});

it('lets a resolve wait for a replay only briefly, and finishes the replay for the next', async () => {
  const { harness, tokens } = await withTheDead();
  const { store } = harness.auth;
  const held: (() => void)[] = [];
  const slow: SessionStore = new Proxy(store, {
    get: (target, name: keyof SessionStore) =>
      name === 'revoke'
        ? async (...args: Parameters<SessionStore['revoke']>) => {
            await new Promise<void>((resolve) => held.push(resolve));
            return target.revoke(...args);
          }
        : target[name],
  });
  replayRevocations({ ...harness.auth, store: slow });
  await expect(alive(harness, tokens[3]!)).rejects.toMatchObject({ name: 'StoreUnavailable' });
  held.forEach((resolve) => resolve());
  await vi.waitFor(async () => expect(await alive(harness, tokens[3]!)).toBe(true));
  expect(held).toHaveLength(1);
  expect(await alive(harness, tokens[0]!)).toBe(false);
});

it('replays outside of the experiment whose request began it, because all others wait for it', async () => {
  const { harness, tokens } = await withTheDead();
  const trouble = { delayMs: 0, fails: true, losesAnswer: false, oldMs: 0, holds: false };
  armFaults((point, _at, experiment) => Promise.resolve(point === 'database' && experiment === 'ada' ? trouble : undefined));
  replayRevocations(harness.auth);
  const resolve = (token: string) => recordOf(harness, token);
  const [ada, bob] = await Promise.allSettled(['ada', 'bob'].map((who) => withExperiment(who, () => resolve(tokens[3]!))));
  expect([ada!.status, bob!.status]).toEqual(['fulfilled', 'fulfilled']);
});
