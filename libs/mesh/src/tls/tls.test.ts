import { X509Certificate } from 'node:crypto';
import { copyFile, mkdtemp, readdir, readFile, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { beforeEach, describe, expect, it } from 'vitest';
import { callerOf, createDevelopmentCa, readTls } from './tls.ts';

let dir = '';
beforeEach(async () => void (dir = await mkdtemp(join(tmpdir(), 'tls-'))));
const certificateOf = async (name: string) => new X509Certificate((await readTls(dir, name)).cert);
const clockAt = (nowMs: number) => ({ nowMs: () => nowMs, monotonicMs: () => 0 });

describe('createDevelopmentCa', () => {
  it('makes a certificate a service, for its name and localhost, signed by one authority', async () => {
    await createDevelopmentCa(dir, ['cart', 'gateway']);
    const authority = new X509Certificate((await readTls(dir, 'cart')).ca);
    for (const name of ['cart', 'gateway']) {
      const certificate = await certificateOf(name);
      expect(certificate.subject).toBe(`CN=${name}`);
      expect(certificate.subjectAltName).toBe(`DNS:localhost, DNS:${name}`);
      expect(certificate.verify(authority.publicKey)).toBe(true);
      expect([certificate.ca, authority.ca]).toEqual([false, true]);
    }
  });

  it('leaves no key of the authority behind, and keys that only their owner reads', async () => {
    await createDevelopmentCa(dir, ['cart']);
    expect((await readdir(dir)).sort()).toEqual(['ca.pem', 'cart.key', 'cart.pem']);
    expect((await stat(join(dir, 'cart.key'))).mode & 0o077).toBe(0);
    expect(await readFile(join(dir, 'ca.pem'), 'utf8')).not.toContain('PRIVATE');
  });

  it('keeps what is there while it covers the names and lasts a week', async () => {
    const nowMs = Date.now();
    const before = async (names: string[], atMs: number) => {
      const old = (await certificateOf('cart')).fingerprint256;
      await createDevelopmentCa(dir, names, clockAt(atMs));
      return (await certificateOf('cart')).fingerprint256 === old;
    };
    await createDevelopmentCa(dir, ['cart'], clockAt(nowMs));
    expect(await before(['cart'], nowMs)).toBe(true);
    expect(await before(['cart', 'orders'], nowMs)).toBe(false);
    expect(await before(['cart', 'orders'], nowMs + 25 * 86_400_000)).toBe(false);
  });

  it('makes all anew after a start that was interrupted between a key and its certificate', async () => {
    await createDevelopmentCa(dir, ['cart', 'gateway']);
    await copyFile(join(dir, 'gateway.key'), join(dir, 'cart.key'));
    await createDevelopmentCa(dir, ['cart', 'gateway']);
    const { cert, key } = await readTls(dir, 'cart');
    expect(() => createSecureContext({ cert, key })).not.toThrow();
  });

  it('refuses a name that would leave the folder', async () => {
    await expect(createDevelopmentCa(dir, ['../cart'])).rejects.toThrow('not a service name');
  });
});

describe('callerOf', () => {
  const certificate = (CN: unknown, subjectaltname = 'DNS:localhost, DNS:cart') => ({ subject: { CN } as never, subjectaltname });
  it('is the name that CN and SAN agree on', () => {
    expect(callerOf(certificate('cart'))).toBe('cart');
  });
  it.each([
    ['no certificate', undefined],
    ['two common names', certificate(['cart', 'gateway'])],
    ['a name that the SAN does not have', certificate('gateway')],
    ['a name inside another', certificate('art')],
    ['no name', certificate(undefined)],
    ['a strange name', certificate('Cart', 'DNS:Cart')],
  ])('is nobody for %s', (_what, given) => {
    expect(callerOf(given)).toBeUndefined();
  });
});
