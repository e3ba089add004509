/**
 * The values of the session store in Redis: one string for a record, one for a person's index. Both are lines of text, so
 * `redis-cli --raw GET` shows them, and both begin with the number of their layout.
 *
 * A record, version 1. Trailing empty lines are left out:
 *
 *   1  version           7  global epoch                          13  region
 *   2  hash              8  created, ms                           14  device
 *   3  handle            9  authenticated, ms ('': when created)  15  claimed guest cart
 *   4  subject          10  last seen, ms                         16  generation ('': 0)
 *   5  state and mode   11  idle limit, ms after line 10          17  rotated, ms ('': 0)
 *   6  epoch            12  absolute limit, ms after line 8       18  amr
 *
 * Line 5 has two letters: g(uest) or u(ser), then r(eference), h(ybrid), j(wt) or d(enylist). The tag is in the key.
 *
 * An index, version 1: the version, the epoch, then a handle and its hash for each session.
 *
 * A build before decision 0037 kept hashes instead. The scripts read those too (session.scripts.layout.ts).
 */
import type { SessionRecord, TokenMode } from './session.store.ts';

export const version = '1';

export const stateLetters = { guest: 'g', user: 'u' } as const;
export const modeLetters: Readonly<Record<TokenMode, string>> = { reference: 'r', hybrid: 'h', jwt: 'j', 'jwt-denylist': 'd' };

type Kind = Pick<SessionRecord, 'state' | 'mode'>;
const kinds = new Map<string, Kind>(
  (['guest', 'user'] as const).flatMap((state) =>
    (Object.keys(modeLetters) as TokenMode[]).map((mode): [string, Kind] => [stateLetters[state] + modeLetters[mode], { state, mode }]),
  ),
);

export function pack(r: SessionRecord): string {
  const who = [version, r.hash, r.handle, r.subject, stateLetters[r.state] + modeLetters[r.mode], r.epoch, r.globalEpoch];
  const authenticated = r.authenticatedAtMs === r.createdAtMs ? '' : r.authenticatedAtMs;
  const limits = [r.idleExpiresAtMs - r.lastSeenAtMs, r.expiresAtMs - r.createdAtMs];
  const where = [r.region, r.device, r.claimedGuestCart];
  const counted = [orEmpty(r.generation), orEmpty(r.rotatedAtMs), r.amr];
  return [...who, r.createdAtMs, authenticated, r.lastSeenAtMs, ...limits, ...where, ...counted].join('\n').replace(/\n+$/, '');
}

const orEmpty = (number: number): string => (number === 0 ? '' : String(number));

/** Undefined for a text that is no record of this version. @param tag of the key under which it was found */
export function unpack(text: string, tag: string): SessionRecord | undefined {
  const lines = text.split('\n');
  if (lines[0] !== version || lines.length < 12 || lines.length > 18) return undefined;
  const [, hash, handle, subject, letters, epoch, globalEpoch, created, authenticated, seen, idle, absolute] = lines as string[] & {
    length: 12;
  };
  const [, , , , , , , , , , , , region = '', device = '', claimedGuestCart = '', generation = '', rotated = '', amr = ''] = lines;
  const kind = kinds.get(letters!);
  if (kind === undefined || hash === '' || handle === '' || subject === '') return undefined;
  const createdAtMs = whole(created!);
  const lastSeenAtMs = whole(seen!);
  const record: SessionRecord = {
    hash: hash!,
    tag,
    handle: handle!,
    subject: subject!,
    ...kind,
    epoch: whole(epoch!),
    globalEpoch: whole(globalEpoch!),
    createdAtMs,
    authenticatedAtMs: authenticated === '' ? createdAtMs : whole(authenticated!),
    lastSeenAtMs,
    idleExpiresAtMs: lastSeenAtMs + whole(idle!),
    expiresAtMs: createdAtMs + whole(absolute!),
    device,
    claimedGuestCart,
    region,
    generation: generation === '' ? 0 : whole(generation),
    rotatedAtMs: rotated === '' ? 0 : whole(rotated),
    amr,
  };
  return isWhole(record) ? record : undefined;
}

/** A number is decimal digits and nothing else: `Number` alone would take '' for 0, and '0x10'. */
const whole = (text: string): number => (/^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN);

function isWhole(r: SessionRecord): boolean {
  // A sum is NaN when one of its numbers is.
  const limits = r.idleExpiresAtMs + r.expiresAtMs + r.authenticatedAtMs;
  return !Number.isNaN(limits + r.epoch + r.globalEpoch + r.generation + r.rotatedAtMs);
}

/** Looks one session up in an index. Undefined for a text that is no index of this version. */
export function lookUp(text: string, handle: string): { readonly epoch: number; readonly listedHash: string | undefined } | undefined {
  const lines = text.split('\n');
  const epoch = whole(lines[1] ?? '');
  if (lines[0] !== version || Number.isNaN(epoch) || lines.length % 2 !== 0) return undefined;
  for (let at = 2; at < lines.length; at += 2) if (lines[at] === handle) return { epoch, listedHash: lines[at + 1] };
  return { epoch, listedHash: undefined };
}
