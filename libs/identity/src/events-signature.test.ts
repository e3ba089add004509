import { topics } from '@cloakroom/contracts';
import { describe, expect, it, vi } from 'vitest';
import { signEvent, verifyEvent } from './events-signature.ts';
import { signJws } from './jws.ts';
import { newSigner } from './mesh/mesh.fixture.ts';

const signer = newSigner();
const value = Buffer.from('claimed: g_1 by u_1');
const record = (changes: { topic?: string; value?: Buffer | null; jws?: Buffer | undefined } = {}) => {
  const jws = 'jws' in changes ? changes.jws : signEvent(topics.identityEvents, value, signer);
  return { topic: 'identity.events', value, headers: jws === undefined ? {} : { jws }, ...changes };
};

describe('a signed event', () => {
  it('is known as auth’s own', async () => {
    expect(await verifyEvent(record(), signer.ring)).toBe(true);
  });

  it.each([
    ['without a signature', record({ jws: undefined })],
    ['with another value', record({ value: Buffer.from('claimed: g_1 by u_2') })],
    ['that is a tombstone', record({ value: null })],
    ['moved to another topic', record({ topic: 'session.revocations' })],
    ['signed by somebody else', record({ jws: signEvent(topics.identityEvents, value, newSigner('k1')) })],
    ['signed with an unknown key', record({ jws: signEvent(topics.identityEvents, value, newSigner('k9')) })],
    [
      'signed as a passport',
      record({ jws: Buffer.from(signJws(signer, 'passport+jwt', value, { detached: true, header: { topic: 'identity.events' } })) }),
    ],
    ['signed without its topic', record({ jws: Buffer.from(signJws(signer, 'event+jws', value, { detached: true })) })],
    ['with nonsense', record({ jws: Buffer.from([0xff, 0, 1]) })],
  ])('%s is refused', async (_what, forged) => {
    expect(await verifyEvent(forged, signer.ring)).toBe(false);
  });

  it('that a key for passports alone has signed is refused', async () => {
    const passports = newSigner('k1', 'Ed25519');
    expect(await verifyEvent(record({ jws: signEvent(topics.identityEvents, value, passports) }), passports.ring)).toBe(false);
  });

  it('of a retired key is refused', async () => {
    const old = newSigner('old');
    const jws = signEvent(topics.identityEvents, value, old);
    expect(await verifyEvent(record({ jws }), old.ring)).toBe(true);
    old.ring.retire('old');
    expect(await verifyEvent(record({ jws }), old.ring)).toBe(false);
  });

  it('asks auth for the very key that it was signed with', async () => {
    const refresh = vi.fn<(kid?: string) => Promise<void>>(() => Promise.resolve());
    await verifyEvent(record({ jws: signEvent(topics.identityEvents, value, newSigner('k9')) }), { ...signer.ring, refresh });
    expect(refresh.mock.calls).toEqual([['k9']]);
  });

  it('has no verdict while its key is unknown and auth cannot be asked', async () => {
    const ring = { ...signer.ring, refresh: () => Promise.reject(new Error('no answer')) };
    await expect(verifyEvent(record({ jws: signEvent(topics.identityEvents, value, newSigner('k9')) }), ring)).rejects.toThrow('no answer');
  });
});
