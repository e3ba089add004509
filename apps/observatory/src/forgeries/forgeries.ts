/**
 * The fixed list of forgeries. Each begins with a genuine passport of a throw-away account, and says what a forger makes of it. The list is all
 * that a page can choose from: no target, token or body comes from outside.
 */
import { generateKeyPairSync } from 'node:crypto';
import type { ForgeryView } from '../api.ts';

/** The services that forgeries are sent to, each by a read that changes nothing. */
export type Target = 'cart' | 'profile';

/** The forger's means: passports of its own account. */
export interface Loot {
  /** For cart, just issued. */
  readonly fresh: string;
  /** For cart, and its time is over. */
  readonly old: string;
}

export interface Forgery extends ForgeryView {
  readonly target: Target;
  /** The check that must refuse it: a key of `checkWords` in the contracts. */
  readonly check: string;
  /** The file that holds that check. */
  readonly file: string;
  /** @returns the passport to send; undefined for none */
  readonly make: (loot: Loot) => string | undefined | Promise<string>;
}

const jws = 'libs/identity/src/jws.ts';
const passport = 'libs/identity/src/passport.ts';
const admission = 'libs/identity/src/admission.ts';

export const forgeries: readonly Forgery[] = [
  {
    name: 'another-subject',
    title: 'Another subject',
    words: 'The forger writes another person into its own passport, and keeps the signature.',
    sentTo: 'cart GetCart',
    target: 'cart',
    check: 'bad_signature',
    file: jws,
    make: ({ fresh }) => changed(fresh, (claims) => ({ ...claims, sub: 'u_somebody-else' })),
  },
  {
    name: 'another-audience',
    title: 'Another audience',
    words: 'The forger writes another service into its passport for cart, keeps the signature, and shows it to that service.',
    sentTo: 'profile GetProfile',
    target: 'profile',
    check: 'bad_signature',
    file: jws,
    make: ({ fresh }) => changed(fresh, (claims) => ({ ...claims, aud: 'profile' })),
  },
  {
    name: 'expired',
    title: 'Expired',
    words: 'The forger kept a genuine passport until its time was over, and shows it unchanged.',
    sentTo: 'cart GetCart',
    target: 'cart',
    check: 'expired',
    file: passport,
    make: ({ old }) => old,
  },
  {
    name: 'no-algorithm',
    title: 'Algorithm “none”',
    words: 'The forger says in the header that no signature is needed, and leaves it out.',
    sentTo: 'cart GetCart',
    target: 'cart',
    check: 'wrong_algorithm',
    file: jws,
    make: ({ fresh }) => {
      const { header, claims } = readPassport(fresh);
      return `${encoded({ ...header, alg: 'none' })}.${encoded({ ...claims, sub: 'u_somebody-else' })}.`;
    },
  },
  {
    name: 'own-key',
    title: 'A key of one’s own',
    words: 'The forger makes a key, signs a flawless passport for another person with it, and names that key in the header.',
    sentTo: 'cart GetCart',
    target: 'cart',
    check: 'unknown_key',
    file: jws,
    make: async ({ fresh }) => {
      const { passportType, signJws } = await import('@cloakroom/identity');
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const claims = { ...readPassport(fresh).claims, sub: 'u_somebody-else' };
      return signJws({ kid: 'a-key-of-my-own', privateKey }, passportType, Buffer.from(JSON.stringify(claims)));
    },
  },
  {
    name: 'replayed',
    title: 'Replayed to another service',
    words: 'The forger shows a genuine passport for cart, unchanged, to another service.',
    sentTo: 'profile GetProfile',
    target: 'profile',
    check: 'wrong_audience',
    file: passport,
    make: ({ fresh }) => fresh,
  },
  {
    name: 'no-passport',
    title: 'No passport',
    words: 'The forger calls the service without any passport, as a caller that the service knows.',
    sentTo: 'cart GetCart',
    target: 'cart',
    check: 'no_person',
    file: admission,
    make: () => undefined,
  },
];

export interface ReadPassport {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** Reads without checking anything: the forger trusts its own passport. */
export function readPassport(text: string): ReadPassport {
  const [header = '', claims = ''] = text.split('.');
  return { header: decoded(header), claims: decoded(claims) };
}

function changed(text: string, change: (claims: ReadPassport['claims']) => object): string {
  const [header, claims, signature] = text.split('.');
  return `${header}.${encoded(change(decoded(claims ?? '')))}.${signature}`;
}

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const decoded = (part: string): Record<string, unknown> => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
