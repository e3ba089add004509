/**
 * The attacks and the defences of the lab: a handful out of labs/attacks, which needs no browser, and the planted faults that prove it. Each arm
 * names the faults of labs/faults/attack-faults.ts that it plants.
 */

/** A test of labs/attacks, by its file and the beginning of its title. */
export interface Tried {
  readonly file: string;
  readonly title: string;
  /** The attack in a few words. */
  readonly says: string;
  /** Cheap enough for a quick run. */
  readonly quick?: true;
}

export const tried: readonly Tried[] = [
  { file: 'session-lifecycle', title: 'A1 a token that was there before a sign-in', says: 'a cookie from before the sign-in' },
  { file: 'session-lifecycle', title: 'A2 after a sign-out every gateway', says: 'a passport from before the sign-out' },
  { file: 'token-forgery', title: 'B11 alg none', says: 'alg none' },
  { file: 'token-forgery', title: 'B11 a real header and changed claims', says: 'changed claims under the old signature', quick: true },
  { file: 'token-forgery', title: 'B13 a kid is a name', says: 'a signature by the attacker’s key' },
  { file: 'token-forgery', title: 'B14 a key that the token brings', says: 'a key that the token brings' },
  { file: 'token-forgery', title: 'B18 a signature of zeros', says: 'a signature of zeros' },
  { file: 'edge-spoofing', title: 'D24 a service takes exactly one passport', says: 'a second passport beside the first', quick: true },
  {
    file: 'edge-spoofing',
    title: 'D26 no second request hides in a first one that is framed twice: a blank before the colon',
    says: 'a hidden second request',
  },
  { file: 'edge-spoofing', title: 'D27 no spelling of an address', says: 'another spelling of an address' },
  { file: 'edge-spoofing', title: 'D28 headers too large', says: '30 kB of headers' },
  { file: 'browser-attacks', title: 'E30 two cookies that could both be', says: 'a planted second cookie', quick: true },
  { file: 'browser-attacks', title: 'E31 an unsafe request', says: 'a sign-out from another site', quick: true },
  { file: 'browser-attacks', title: 'E34 an answer that a shared cache may keep', says: 'a personal answer out of a shared cache' },
  { file: 'side-channels', title: 'G50 the list of devices', says: 'a token in the list of devices' },
];

/** Defences that this project wrote, in the order of the dial `keep`. */
export const ours = [
  'signatures-are-not-verified',
  'sign-in-leaves-the-old-session',
  'services-do-not-hear-revocations',
  'unsafe-requests-from-anywhere',
  'the-last-cookie-wins',
  'a-look-alike-beside-the-passport-passes',
  'the-rule-goes-by-spelling',
  'personal-answers-are-kept',
  'devices-are-named-by-their-token',
] as const;

export const everything = 'all defences';
export const framework = 'none of ours';
export const parser = 'a lenient parser';

/** The faults that each arm plants. */
export const arms: Readonly<Record<string, readonly string[]>> = {
  [everything]: [],
  'no signature check': ['signatures-are-not-verified'],
  'old session stays': ['sign-in-leaves-the-old-session'],
  'no revocations': ['services-do-not-hear-revocations'],
  'no origin check': ['unsafe-requests-from-anywhere'],
  'any cookie wins': ['the-last-cookie-wins'],
  [parser]: ['requests-are-parsed-leniently'],
  [framework]: ours,
};
