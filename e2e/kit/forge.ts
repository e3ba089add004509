/** Tokens that auth never signed. The attacker knows everything public: the key set, the claims, the form of a passport. */
import { createHmac, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { gateways } from './stack.ts';
import { plain } from './raw.ts';

const part = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

export interface Taken {
  readonly header: Readonly<Record<string, string>>;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly signature: string;
}

export function takeApart(jws: string): Taken {
  const [header, payload, signature] = jws.split('.') as [string, string, string];
  const read = (text: string) => JSON.parse(Buffer.from(text, 'base64url').toString()) as Record<string, string>;
  return { header: read(header), payload: read(payload), signature };
}

export const assemble = (header: unknown, payload: unknown, signature: string): string => `${part(header)}.${part(payload)}.${signature}`;

export const attacker = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const attackerOnEdwards = generateKeyPairSync('ed25519');

/** Signed correctly, but with the attacker's own key. */
export function signedByAttacker(header: unknown, payload: unknown): string {
  const signed = `${part(header)}.${part(payload)}`;
  return `${signed}.${sign('sha256', Buffer.from(signed), { key: attacker.privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

/** A genuine passport under other names of algorithms: with its signature, and with signatures of the attacker's keys of both kinds. */
export function renamed(passport: string): string[] {
  const { header, payload, signature } = takeApart(passport);
  const names = ['ES256', 'Ed25519', 'EdDSA', 'Ed448', 'ES384', 'ES256K', 'RS256', 'none'].filter((alg) => alg !== header['alg']);
  return names.flatMap((alg) => {
    const signed = `${part({ ...header, alg })}.${part(payload)}`;
    const own = sign(null, Buffer.from(signed), attackerOnEdwards.privateKey).toString('base64url');
    return [`${signed}.${signature}`, `${signed}.${own}`, signedByAttacker({ ...header, alg }, payload)];
  });
}

export async function publicKeys(): Promise<Record<string, string>[]> {
  return (JSON.parse((await plain('/.well-known/jwks.json', { gateway: gateways[0] })).body) as { keys: Record<string, string>[] }).keys;
}

/** MACs over the token with the public key as the secret: one for each form in which a library may mistake the public key for a secret. */
export function macsByPublicKey(jwk: Record<string, string>, header: unknown, payload: unknown): string[] {
  const key = createPublicKey({ key: jwk as never, format: 'jwk' });
  const pem = key.export({ format: 'pem', type: 'spki' }).toString();
  const secrets = [pem, pem.trim(), key.export({ format: 'der', type: 'spki' }), JSON.stringify(jwk), Buffer.from(jwk['x']!, 'base64url')];
  const signed = `${part(header)}.${part(payload)}`;
  return secrets.map((secret) => `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`);
}
