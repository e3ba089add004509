import type { Session } from '@cloakroom/contracts/http';
import { describe, expect, it } from 'vitest';
import { formatPrice, plural, safeNext } from '../format.ts';
import { identityOf, noticeOfChange } from './session-notice.ts';
import { createGuestStarter } from './start-guest.ts';

const none: Session = { state: 'none' };
const guest: Session = { state: 'guest' };
const user = (id: string): Session => ({ state: 'user', user: { id, name: 'Ada', email: 'ada@example.com' } });

describe('createGuestStarter', () => {
  function starterOf(first: Session) {
    let session = first;
    let starts = 0;
    let turn: Promise<unknown> = Promise.resolve();
    const parts = {
      readSession: () => Promise.resolve(session),
      startGuest: () => {
        starts++;
        session = guest;
        return Promise.resolve(guest);
      },
      alone: <Result>(run: () => Promise<Result>): Promise<Result> => {
        const mine = turn.then(run);
        turn = mine.catch(() => undefined);
        return mine;
      },
    };
    return { parts, starts: () => starts };
  }
  it('makes one guest of parallel first writes of one page', async () => {
    const { parts, starts } = starterOf(none);
    const start = createGuestStarter(parts);
    expect(await Promise.all([start(), start(), start()])).toEqual([guest, guest, guest]);
    expect(starts()).toBe(1);
  });
  it('makes one guest of parallel first writes of two tabs', async () => {
    const { parts, starts } = starterOf(none);
    await Promise.all([createGuestStarter(parts)(), createGuestStarter(parts)()]);
    expect(starts()).toBe(1);
  });
  it('keeps a session that another tab has started or signed in', async () => {
    const { parts, starts } = starterOf(user('u_1'));
    expect((await createGuestStarter(parts)()).state).toBe('user');
    expect(starts()).toBe(0);
  });
  it('asks again after a failure', async () => {
    const { parts, starts } = starterOf(none);
    let failures = 1;
    const start = createGuestStarter({
      ...parts,
      startGuest: () => (failures-- > 0 ? Promise.reject(new Error('cut')) : parts.startGuest()),
    });
    await expect(start()).rejects.toThrow('cut');
    expect(await start()).toEqual(guest);
    expect(starts()).toBe(1);
  });
});

describe('noticeOfChange', () => {
  it.each([
    [user('u_1'), none, false, /signed out/],
    [user('u_1'), guest, false, /signed out/],
    [user('u_1'), user('u_2'), false, /another account/],
    [guest, none, false, /guest session has ended/],
    [user('u_1'), none, true, undefined],
    [none, guest, false, undefined],
    [guest, user('u_1'), false, undefined],
    [none, user('u_1'), false, undefined],
  ])('from %j to %j, expected %s: %s', (before, after, expected, text) => {
    const notice = noticeOfChange(identityOf(before), identityOf(after), expected);
    if (text === undefined) expect(notice).toBeUndefined();
    else expect(notice).toMatch(text);
  });
});

describe('safeNext', () => {
  it.each([
    ['/account/devices?x=1', '/account/devices?x=1'],
    ['//evil.example', '/'],
    ['/\\evil.example', '/'],
    ['/.//evil.example', '/'],
    ['/a/..//evil.example', '/'],
    ['https://evil.example', '/'],
    ['javascript:alert(1)', '/'],
    [null, '/'],
  ])('of %j is %s', (next, path) => {
    expect(safeNext(next, '/')).toBe(path);
  });
});

it('writes minor units as a price, and counts in words', () => {
  expect(formatPrice(24_905, 'EUR')).toBe('€249.05');
  expect([plural(0, 'item'), plural(1, 'item'), plural(2, 'item')]).toEqual(['0 items', '1 item', '2 items']);
});
