import { create } from '@bufbuild/protobuf';
import { isProblem, UpdateProfileRequestSchema } from '@cloakroom/contracts';
import { type PersonContext } from '@cloakroom/mesh';
import { createLogger } from '@cloakroom/platform';
import { openDatabase } from '@cloakroom/platform/database';
import { freshDatabaseUrl } from '@cloakroom/testing';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { beforeEach, describe, expect, it } from 'vitest';
import { forgetGuests } from './forget-guests.ts';
import { getProfile } from './get-profile.ts';
import { changeEmail, joinGuest, registerAccount } from './join-guest.ts';
import { migrations, type Database, type ProfileAnswer, type ProfileTables } from './profiles.ts';
import { recordView } from './record-view.ts';
import { updateProfile } from './update-profile.ts';

let db: Database;
let nowMs = 1_790_000_000_000;
let ids = 0;

beforeEach(async () => {
  db = await openDatabase<ProfileTables>(await freshDatabaseUrl(), migrations, { name: 'profile', log: createLogger('test', 'silent') });
});

const as = (subject: string): PersonContext =>
  ({ identity: { subject, state: subject.startsWith('u_') ? 'user' : 'guest' } }) as unknown as PersonContext;
const patch = (subject: string, request: MessageInitShape<typeof UpdateProfileRequestSchema>) =>
  updateProfile({ db, nowMs: () => nowMs, newId: () => `id-${++ids}` }, as(subject), create(UpdateProfileRequestSchema, request));
const view = (subject: string, productId: string) => recordView(db, as(subject), { productId }, ++nowMs);
const read = (subject: string): Promise<ProfileAnswer> => getProfile(db, as(subject));
const address = { addressId: '', name: 'Ada', line1: 'Row 1', line2: '', city: 'London', postalCode: 'N1', country: 'GB' };
const addressIds = async (subject: string) => (await read(subject)).addresses?.map((item) => item.addressId);
const claim = (guest: string, user: string) =>
  joinGuest(db, { $typeName: 'cloakroom.events.v1.GuestClaimed', guestCartId: guest, userId: user, loginId: 'l' }, nowMs);

describe('updateProfile', () => {
  it('replaces the fields that are named and leaves the rest', async () => {
    await patch('u_1', { name: 'Ada', preferences: { items: { size: 'M', tone: 'warm' } } });
    await patch('u_1', { preferences: { items: { size: 'L' } } });
    expect(await read('u_1')).toMatchObject({ name: 'Ada', preferences: { size: 'L' } });
    await patch('u_1', { preferences: { items: {} } });
    expect(await read('u_1')).toMatchObject({ name: 'Ada', preferences: {} });
  });
  it('gives addresses their ids, keeps them over a replacement, and never takes an id from a client', async () => {
    await patch('u_1', { addresses: { items: [address, { ...address, city: 'Paris' }] } });
    const [first, second] = (await addressIds('u_1')) ?? [];
    await patch('u_1', {
      addresses: {
        items: [
          { ...address, addressId: second! },
          { ...address, addressId: 'invented' },
          { ...address, addressId: second! },
        ],
      },
    });
    const after = (await addressIds('u_1')) ?? [];
    expect(after[0]).toBe(second);
    expect(after).not.toContain(first);
    expect(after).not.toContain('invented');
    expect(new Set(after).size).toBe(3);
  });
  it("cannot take over another person's address by its id", async () => {
    await patch('u_1', { addresses: { items: [address] } });
    const [theirs] = (await addressIds('u_1')) ?? [];
    await patch('u_2', { addresses: { items: [{ ...address, addressId: theirs! }] } });
    expect(await addressIds('u_1')).toEqual([theirs]);
    expect(await addressIds('u_2')).not.toContain(theirs);
  });
  it('lets a guest keep preferences and nothing that needs an account', async () => {
    expect(await patch('g_1', { name: 'Nobody' })).toMatchObject({ problem: 'sign_in_required' });
    expect(await patch('g_1', { addresses: { items: [] } })).toMatchObject({ problem: 'sign_in_required' });
    expect(await patch('g_1', { preferences: { items: { size: 'S' } } })).toMatchObject({ preferences: { size: 'S' } });
  });
  it('changes nothing when one field is refused', async () => {
    expect(await patch('u_1', { name: 'Ada', addresses: { items: [{ ...address, country: 'England' }] } })).toMatchObject({
      problem: 'invalid_request',
    });
    expect(await read('u_1')).toMatchObject({ name: '' });
  });
  it.each([
    [{ name: ' ' }, 'invalid_request'],
    [{ name: 'x'.repeat(101) }, 'invalid_request'],
    [{ addresses: { items: [{ ...address, line1: '' }] } }, 'invalid_request'],
    [{ addresses: { items: [{ ...address, postalCode: '1'.repeat(21) }] } }, 'invalid_request'],
    [{ addresses: { items: Array.from({ length: 21 }, () => address) } }, 'limit_exceeded'],
    [{ preferences: { items: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, 'v'])) } }, 'limit_exceeded'],
    [{ preferences: { items: { ['k'.repeat(65)]: 'v' } } }, 'invalid_request'],
    [{ preferences: { items: { k: 'v'.repeat(257) } } }, 'invalid_request'],
  ])('refuses what is too much: case %#', async (request, code) => {
    expect(await patch('u_1', request)).toMatchObject({ problem: code });
  });
  it('takes exactly the limits', async () => {
    const preferences = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`k${i}`, 'v'.repeat(256)]));
    const answer = await patch('u_1', {
      addresses: { items: Array.from({ length: 20 }, () => address) },
      preferences: { items: preferences },
    });
    expect(isProblem(answer)).toBe(false);
  });
});

describe('recordView', () => {
  it('lists newest first, each product once', async () => {
    for (const productId of ['a', 'b', 'a']) await view('g_1', productId);
    expect((await read('g_1')).recentlyViewed).toEqual(['a', 'b']);
  });
  it('keeps the last 20', async () => {
    for (let i = 1; i <= 25; i++) await view('g_1', `p${i}`);
    const { recentlyViewed = [] } = await read('g_1');
    expect(recentlyViewed).toHaveLength(20);
    expect([recentlyViewed[0], recentlyViewed[19]]).toEqual(['p25', 'p6']);
    expect(await db.selectFrom('views').selectAll().execute()).toHaveLength(20);
  });
  it('refuses what cannot be a product id', async () => {
    expect(await view('g_1', '../x')).toMatchObject({ problem: 'invalid_request' });
  });
});

describe('joinGuest', () => {
  it("adds the guest's preferences where the user has none, and one list of views by time", async () => {
    await patch('u_1', { preferences: { items: { size: 'M' } } });
    await patch('g_1', { preferences: { items: { size: 'XS', tone: 'warm' } } });
    await view('u_1', 'old');
    await view('g_1', 'both');
    await view('u_1', 'both');
    await view('g_1', 'new');
    expect(await claim('g_1', 'u_1')).toBe(true);
    expect(await read('u_1')).toMatchObject({ preferences: { size: 'M', tone: 'warm' }, recentlyViewed: ['new', 'both', 'old'] });
    expect(await read('g_1')).toMatchObject({ preferences: {}, recentlyViewed: [] });
  });
  it('changes nothing when it is replayed, even after the user threw everything away', async () => {
    await patch('g_1', { preferences: { items: { tone: 'warm' } } });
    await claim('g_1', 'u_1');
    await patch('u_1', { preferences: { items: {} } });
    expect(await claim('g_1', 'u_1')).toBe(false);
    expect(await claim('g_1', 'u_2')).toBe(false);
    expect(await read('u_1')).toMatchObject({ preferences: {} });
    expect(await read('u_2')).toMatchObject({ preferences: {} });
  });
  it('refuses what the guest still tries to write afterwards', async () => {
    await claim('g_1', 'u_1');
    expect(await patch('g_1', { preferences: { items: { tone: 'cold' } } })).toMatchObject({ problem: 'session_ended' });
    expect(await view('g_1', 'late')).toMatchObject({ problem: 'session_ended' });
  });
  it("never lifts the user's preferences above the limit, and keeps all of their own", async () => {
    const items = (prefix: string, length: number) => ({
      items: Object.fromEntries(Array.from({ length }, (_, i) => [`${prefix}${i}`, 'v'])),
    });
    await patch('u_1', { preferences: items('own', 40) });
    await patch('g_1', { preferences: items('brought', 40) });
    await claim('g_1', 'u_1');
    const keys = Object.keys((await read('u_1')).preferences ?? {});
    expect(keys).toHaveLength(50);
    expect(keys.filter((key) => key.startsWith('own'))).toHaveLength(40);
  });
  it('joins a guest to a user and nothing else', async () => {
    await expect(claim('u_2', 'u_1')).rejects.toThrow();
    await expect(claim('g_1', 'g_2')).rejects.toThrow();
  });
});

describe('registerAccount', () => {
  const register = (name: string) =>
    registerAccount(db, { $typeName: 'cloakroom.events.v1.AccountRegistered', userId: 'u_1', name, email: 'ada@example.com' }, nowMs);
  it('gives name and e-mail once: a replay does not undo a changed name', async () => {
    expect(await register('Ada')).toBe(true);
    await patch('u_1', { name: 'Countess' });
    expect(await register('Ada')).toBe(false);
    expect(await read('u_1')).toMatchObject({ name: 'Countess', email: 'ada@example.com' });
  });
  it('keeps a name that the person gave before the event came', async () => {
    await patch('u_1', { name: 'Countess' });
    await register('Ada');
    expect(await read('u_1')).toMatchObject({ name: 'Countess', email: 'ada@example.com' });
  });
});

describe('changeEmail', () => {
  const change = (email: string) => changeEmail(db, { $typeName: 'cloakroom.events.v1.EmailChanged', userId: 'u_1', email }, nowMs);
  it('holds the last address, also where the registration is replayed or comes late', async () => {
    const registration = {
      $typeName: 'cloakroom.events.v1.AccountRegistered',
      userId: 'u_1',
      name: 'Ada',
      email: 'first@example.com',
    } as const;
    await registerAccount(db, registration, nowMs);
    await change('second@example.com');
    await change('third@example.com');
    await registerAccount(db, registration, nowMs);
    expect(await read('u_1')).toMatchObject({ email: 'third@example.com', name: 'Ada' });
  });
  it('is of a user alone', async () => {
    const event = { $typeName: 'cloakroom.events.v1.EmailChanged', userId: 'g_1', email: 'a@example.com' } as const;
    await expect(changeEmail(db, event, nowMs)).rejects.toThrow('user');
  });
});

it('forgets guests a month after their last write, and no user ever', async () => {
  await patch('g_old', { preferences: { items: { tone: 'warm' } } });
  await patch('u_old', { name: 'Ada' });
  nowMs += 32 * 24 * 60 * 60 * 1000;
  await patch('g_new', { preferences: { items: { tone: 'cold' } } });
  expect(await forgetGuests(db, nowMs)).toBe(1);
  expect(await read('g_old')).toMatchObject({ preferences: {} });
  expect(await read('g_new')).toMatchObject({ preferences: { tone: 'cold' } });
  expect(await read('u_old')).toMatchObject({ name: 'Ada' });
});

it('forgets as many guests as there are: a large shop gains more in an hour than one step deletes', async () => {
  const row = { name: '', email: '', registered: 0, joined_to: '', updated_at_ms: nowMs };
  for (let from = 0; from < 1_100; from += 100) {
    const rows = Array.from({ length: 100 }, (_, i) => ({ ...row, subject: `g_${from + i}` }));
    await db.insertInto('profiles').values(rows).execute();
  }
  expect(await forgetGuests(db, nowMs + 32 * 24 * 60 * 60 * 1000)).toBe(1_100);
});
