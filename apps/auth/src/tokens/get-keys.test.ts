import { expect, it } from 'vitest';
import { openHarness } from '../auth.harness.ts';
import { getKeys } from './get-keys.ts';
import { openSealer } from './sealed.ts';
import { openSigningKeys } from './signing-keys.ts';

const kidsIn = ({ jwks = '' }: { readonly jwks?: string }) => (JSON.parse(jwks) as { keys: { kid: string }[] }).keys.map(({ kid }) => kid);

it('publishes a key that another replica has just made, before that one’s passports come', async () => {
  const { auth, clock } = await openHarness();
  // The harness' own.
  const sealer = openSealer(Buffer.alloc(32, 9).toString('base64url'));
  const other = await openSigningKeys({ database: auth.database, outbox: auth.outbox, sealer, nowMs: clock.nowMs });
  const rotated = await other.rotate(false, undefined);
  if ('problem' in rotated) throw new Error(rotated.problem);
  expect(auth.keys.find(rotated.activeKid), 'not known here yet').toBeUndefined();
  expect(kidsIn(await getKeys(auth))).toContain(rotated.activeKid);
});

it('publishes what it knows while the database does not answer', async () => {
  const { auth } = await openHarness();
  const [known] = kidsIn(await getKeys(auth));
  for (const reload of [() => new Promise<void>(() => undefined), () => Promise.reject(new Error('away'))]) {
    expect(kidsIn(await getKeys({ ...auth, keys: { ...auth.keys, reload } }))).toEqual([known]);
  }
});
