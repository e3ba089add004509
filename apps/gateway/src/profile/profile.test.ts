import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ask, openStage, type Stage } from '../testing/gateway.fixture.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.stop());
beforeEach(() => {
  stage.services.seen.length = 0;
});
const requestOf = (method: string) => stage.services.seen.find((call) => call.method === method)?.request;

describe('a profile', () => {
  it('of a user has name, e-mail and addresses; of a guest neither', async () => {
    const user = await ask(stage.url, '/api/profile', { token: stage.auth.begin('user') });
    expect(user.body).toEqual({
      name: 'Ada',
      email: 'ada@example.com',
      addresses: [],
      preferences: { theme: 'dark' },
      recentlyViewed: ['cap'],
    });
    const guest = await ask(stage.url, '/api/profile', { token: stage.auth.begin('guest') });
    expect(guest.body).toEqual({ preferences: { theme: 'dark' }, recentlyViewed: ['cap'] });
  });

  it('changes in the fields that are named, and in no other', async () => {
    const token = stage.auth.begin('user');
    const address = { name: 'Ada', line1: '1 Lane', city: 'London', postalCode: 'N1', country: 'GB' };
    await ask(stage.url, '/api/profile', { method: 'PATCH', token, body: { addresses: [address], email: 'other@example.com' } });
    expect(requestOf('updateProfile')).toMatchObject({ addresses: { items: [{ ...address, addressId: '', line2: '' }] } });
    expect(requestOf('updateProfile')).not.toHaveProperty('name');
    expect(JSON.stringify(requestOf('updateProfile'))).not.toContain('other@example.com');
  });

  it('of a guest takes preferences only', async () => {
    const token = stage.auth.begin('guest');
    const named = await ask(stage.url, '/api/profile', { method: 'PATCH', token, body: { name: 'Eve' } });
    expect([named.status, named.body.code]).toEqual([401, 'sign_in_required']);
    expect((await ask(stage.url, '/api/profile', { method: 'PATCH', token, body: { preferences: { theme: 'light' } } })).status).toBe(200);
  });

  it('is nobody else’s: the passport says whose', async () => {
    const token = stage.auth.begin('user');
    await ask(stage.url, '/api/profile', { token });
    const seen = stage.services.seen.find((call) => call.method === 'getProfile');
    expect(seen?.ctx.identity?.subject).toBe(stage.auth.sessionOf(token).view.subject);
  });
});

describe('a product that was looked at', () => {
  it('is remembered where a session exists, and begins none', async () => {
    const before = stage.auth.sessions.size;
    const path = '/api/profile/recently-viewed/cap';
    expect((await ask(stage.url, path, { method: 'PUT' })).status).toBe(204);
    expect([requestOf('recordView'), stage.auth.sessions.size]).toEqual([undefined, before]);
    expect((await ask(stage.url, path, { method: 'PUT', token: stage.auth.begin('guest') })).status).toBe(204);
    expect(requestOf('recordView')).toMatchObject({ productId: 'cap' });
  });

  it('is no error for a session that ended', async () => {
    const token = stage.auth.begin('user');
    stage.auth.sessionOf(token).live = false;
    expect((await ask(stage.url, '/api/profile/recently-viewed/cap', { method: 'PUT', token })).status).toBe(204);
  });
});
