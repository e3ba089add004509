import { create } from '@bufbuild/protobuf';
import { ChangeEmailRequestSchema, ChangePasswordRequestSchema } from '@cloakroom/contracts';
import { expect, it } from 'vitest';
import { alive, email, kindsOf, type Signed, signedUp } from '../account.harness.ts';
import { type Harness, look, ok, outboxOf, password, personWith, signIn, signUp } from '../auth.harness.ts';
import { changeEmail } from './change-email.ts';
import { changePassword } from './change-password.ts';

const change = async ({ harness, token }: Pick<Signed, 'harness' | 'token'>, endOthers = false, secret = 'another long password') =>
  changePassword(
    harness.auth,
    await personWith(harness, token),
    create(ChangePasswordRequestSchema, { password: secret, endOthers, token }),
  );

it('takes the new password and not the old one, under a new token', async () => {
  const signed = await signedUp();
  const { harness, token } = signed;
  const issued = ok(await change(signed));
  expect([await alive(harness, token), await alive(harness, issued.token!)]).toEqual([false, true]);
  expect(await signIn(harness, email)).toEqual({ problem: 'invalid_credentials' });
  expect(ok(await signIn(harness, email, '', 'another long password')).token).toBeTruthy();
  expect(await kindsOf(signed)).toContain('password_changed');
});

it('leaves other devices as they are, and ends them all when asked', async () => {
  const signed = await signedUp();
  const { harness } = signed;
  const phone = ok(await signIn(harness, email)).token!;
  const { token } = ok(await change(signed));
  expect(await alive(harness, phone)).toBe(true);
  const after = ok(await change({ harness, token: token! }, true));
  expect([await alive(harness, phone), await alive(harness, after.token!)]).toEqual([false, true]);
});

it.each(['list', 'create'] as const)(
  'gives no session to a sign-in by the old password that began before, interrupted around %s',
  async (operation) => {
    const signed = await signedUp();
    const { harness } = signed;
    const made: string[] = [];
    // The password changes after the old one was compared: once before the session is made, and once right after.
    const store = harness.auth.store;
    const inner = store[operation].bind(store) as (...args: unknown[]) => Promise<unknown>;
    let changed = false;
    const interrupted = async (...args: unknown[]): Promise<unknown> => {
      const answer = operation === 'create' ? await inner(...args) : undefined;
      if (!changed) {
        changed = true;
        made.push(ok(await change(signed, true)).token!);
      }
      return answer ?? inner(...args);
    };
    const auth = { ...harness.auth, store: proxied(store, operation, interrupted) };
    expect(await signIn({ ...harness, auth }, email)).toEqual({ problem: 'session_ended' });
    expect(await harness.auth.store.list(...(await whereOf(signed)))).toHaveLength(1);
    expect(await alive(harness, made[0]!)).toBe(true);
  },
);

it('takes no password that is too short, and changes nothing', async () => {
  const signed = await signedUp();
  expect(await change(signed, false, 'short')).toMatchObject({ problem: 'invalid_request' });
  expect(await alive(signed.harness, signed.token)).toBe(true);
});

it('does not change the password of a session by the passport of another', async () => {
  const signed = await signedUp();
  const { harness } = signed;
  const other = ok(await signUp(harness, 'grace@example.com')).token!;
  const request = create(ChangePasswordRequestSchema, { password: 'another long password', token: other });
  expect(await changePassword(harness.auth, await personWith(harness, signed.token), request)).toEqual({ problem: 'session_ended' });
  expect(ok(await signIn(harness, email, '', password)).token).toBeTruthy();
});

it('changes the e-mail, tells the others in one event, and refuses one that is taken', async () => {
  const signed = await signedUp();
  const { harness } = signed;
  ok(await signUp(harness, 'grace@example.com'));
  const to = async (address: string, token: string) =>
    changeEmail(harness.auth, await personWith(harness, token), create(ChangeEmailRequestSchema, { email: address, token }));
  expect(await to('Grace@Example.com', signed.token)).toEqual({ problem: 'email_taken' });
  const issued = ok(await to('Ada@Lovelace.example', signed.token));
  expect((await look(harness, issued.token!)).session).toMatchObject({ email: 'ada@lovelace.example' });
  expect(ok(await signIn(harness, 'ada@lovelace.example')).token).toBeTruthy();
  const events = (await outboxOf(harness)).map((row) => row.event).filter((event) => event.includes('emailChanged'));
  expect(events.map((event) => (JSON.parse(event) as { emailChanged: object }).emailChanged)).toEqual([
    { userId: signed.subject, email: 'ada@lovelace.example' },
  ]);
  expect(await kindsOf(signed)).toContain('email_changed');
});

async function whereOf({ harness, subject }: Signed): Promise<[string, string, number]> {
  const { tagOf } = await import('@cloakroom/session');
  return [tagOf(subject), subject, harness.clock.nowMs()];
}

function proxied(store: Harness['auth']['store'], name: string, replacement: unknown): Harness['auth']['store'] {
  return new Proxy(store, {
    get: (target, key: keyof Harness['auth']['store']) => (key === name ? replacement : target[key].bind(target)),
  });
}
