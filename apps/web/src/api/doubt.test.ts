import { describe, expect, it } from 'vitest';
import { createPendingStore } from './pending-store.ts';
import type { Fetch } from './request.ts';
import { attemptsMax } from './retry.ts';
import { createShopApi } from './shop-api.ts';

const problem = (code: string, status: number): Response =>
  Response.json({ title: code, status, code }, { status, headers: { 'content-type': 'application/problem+json' } });
const lost = new TypeError('Failed to fetch');

/** Answers in turn, the last one for ever. */
function shopOf(...answers: (Response | Error)[]) {
  let sent = 0;
  const fetch: Fetch = () => {
    const answer = answers[Math.min(sent++, answers.length - 1)]!;
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer.clone());
  };
  const forbidden = (): never => {
    throw new Error('no storage');
  };
  const api = createShopApi({
    fetch,
    store: createPendingStore(forbidden, () => 0),
    owner: () => undefined,
    nowMs: () => 0,
    onProblem: () => {},
    random: () => 0.5,
    randomBytes: (count) => new Uint8Array(count),
    sleep: () => Promise.resolve(),
  });
  return { api, sent: () => sent, answerWith: (...next: (Response | Error)[]) => void answers.splice(0, answers.length, ...next) };
}
type Api = ReturnType<typeof createShopApi>;

/** Every write that a page makes, besides the cart's commands and the order. */
const writes: Readonly<Record<string, (api: Api) => Promise<unknown>>> = {
  'signing up': (api) => api.register({ name: 'a', email: 'a@b.c', password: 'x' }),
  'signing in': (api) => api.login({ email: 'a@b.c', password: 'x' }),
  'signing out': (api) => api.logout(),
  'a profile': (api) => api.updateProfile({ name: 'a' }),
  'ending a device': (api) => api.endDevice('h'),
  'ending the other devices': (api) => api.endOtherDevices(),
  'a new password': (api) => api.changePassword({ password: 'x', endOthers: true }),
  'a new e-mail': (api) => api.changeEmail('a@b.c'),
  'two-step sign-in': (api) => api.confirmTotp('123456'),
  'no two-step sign-in': (api) => api.removeTotp(),
  'new recovery codes': (api) => api.newRecoveryCodes(),
  'a new passkey': (api) => api.addPasskey({ challenge: 'c', name: 'n', response: {} }),
  'a removed passkey': (api) => api.removePasskey('p'),
  'a disabled account': (api) => api.actOnUser('u', 'disable'),
  'the end of every session': (api) => api.revokeEverything(),
};

describe.each(Object.entries(writes))('of %s', (_name, write) => {
  it('an unknown outcome is said, with what doing it again would do, and never "try again"', async () => {
    const { api } = shopOf(lost, problem('unavailable', 503));
    const error: unknown = await write(api).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'outcome_unknown' });
    expect(String(error)).toMatch(/not sure yet|may have been made/i);
    expect(String(error)).not.toMatch(/try again/i);
  });
});

describe('a write', () => {
  it('that is idempotent by nature is repeated by the page, which says so meanwhile', async () => {
    const { api, sent } = shopOf(lost, Response.json({ name: 'a' }));
    const told: number[] = [];
    api.doubts.subscribe(() => told.push(api.doubts.askedAgain()));
    await api.updateProfile({ name: 'a' });
    expect(sent()).toBe(2);
    expect(told).toEqual([1, 0]);
  });
  it('of which a repetition is another one is not repeated', async () => {
    const { api, sent } = shopOf(lost);
    await expect(api.register({ name: 'a', email: 'a@b.c', password: 'x' })).rejects.toThrow();
    expect(sent()).toBe(1);
  });
  it('stays unknown through later presses, until one is answered', async () => {
    const { api, sent, answerWith } = shopOf(lost);
    await expect(api.changeEmail('a@b.c')).rejects.toMatchObject({ code: 'outcome_unknown' });
    for (const answer of [problem('unavailable', 503), problem('session_ended', 401), problem('too_many_requests', 429)]) {
      answerWith(answer);
      await expect(api.changeEmail('a@b.c')).rejects.toMatchObject({ code: 'outcome_unknown' });
    }
    answerWith(Response.json({ state: 'user' }));
    await api.changeEmail('a@b.c');
    answerWith(problem('session_ended', 401));
    await expect(api.changeEmail('a@b.c')).rejects.toMatchObject({ code: 'session_ended' });
    expect(sent()).toBe(6);
  });
  it('that a refusal speaks of says that refusal', async () => {
    const { api, answerWith } = shopOf(lost);
    await expect(api.login({ email: 'a@b.c', password: 'x' })).rejects.toMatchObject({ code: 'outcome_unknown' });
    answerWith(problem('invalid_credentials', 401));
    await expect(api.login({ email: 'a@b.c', password: 'x' })).rejects.toMatchObject({ code: 'invalid_credentials' });
  });
  it('of something that is gone by now was done by the earlier try', async () => {
    const { api, sent } = shopOf(lost, problem('not_found', 404));
    await expect(api.endDevice('h')).rejects.toMatchObject({ code: 'done_before' });
    expect(sent()).toBeLessThanOrEqual(attemptsMax);
  });
  it('that never left is told as that', async () => {
    const { api } = shopOf(problem('identity_unavailable', 503));
    await expect(api.updateProfile({ name: 'a' })).rejects.toMatchObject({ code: 'identity_unavailable' });
  });
});
