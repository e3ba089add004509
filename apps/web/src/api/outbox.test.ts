import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { askingMs, Outbox, pendingCountMax, type CartOwner } from './outbox.ts';
import { createPendingStore, keptMs } from './pending-store.ts';
import { pendingWords, staleWords } from '../cart/pending-words.ts';
import type { Fetch } from './request.ts';
import { attemptsMax } from './retry.ts';

const startMs = 1_790_000_000_000;
const guest: CartOwner = { cartId: 'g_1' };
const ada: CartOwner = { cartId: 'u_ada', claimedGuestCart: 'g_1' };
const eve: CartOwner = { cartId: 'u_eve' };
const wish = { method: 'POST', path: '/api/cart/lines', body: { productId: 'cap', quantity: 1 }, about: 'adding 1 × Cap' } as const;

const accepted = Response.json({ commandId: 'x', lineId: 'l', seen: 's' }, { status: 202 });
const problem = (code: string, status = 503): Response =>
  Response.json({ title: code, status, code }, { status, headers: { 'content-type': 'application/problem+json' } });
const lost = new TypeError('Failed to fetch');

/** A tab: its storage outlives the page, and whoever is here may change. The last answer is given again and again. */
function tab() {
  const kept = new Map<string, string>();
  const storage = { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => void kept.set(key, value) };
  const sent: { commandId: string; cartId: string; as: string | undefined }[] = [];
  let answers: (Response | Error | (() => Response | Error))[] = [accepted];
  const now = { owner: guest as CartOwner | undefined, ms: startMs };
  const fetch: Fetch = (_path, init) => {
    const body = JSON.parse(init.body as string) as { commandId: string; cartId: string };
    sent.push({ commandId: body.commandId, cartId: body.cartId, as: now.owner?.cartId });
    const next = answers.length > 1 ? answers.shift()! : answers[0]!;
    const answer = typeof next === 'function' ? next() : next;
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer.clone());
  };
  const heard: string[] = [];
  let seed = 0;
  const load = () => {
    const nowMs = () => now.ms;
    const store = createPendingStore(() => storage, nowMs);
    const randomBytes = (count: number) => Uint8Array.from({ length: count }, () => (seed += 7) % 256);
    const sleep = (ms: number) => Promise.resolve(void (now.ms += ms));
    const onProblem = ({ code }: { readonly code: string }) => void heard.push(code);
    const outbox = new Outbox({ fetch, store, owner: () => now.owner, nowMs, onProblem, randomBytes, sleep, random: () => 0.5 });
    return Object.assign(outbox, { store });
  };
  return { load, sent, heard, now, answerWith: (...next: typeof answers) => void (answers = next) };
}

describe('a command whose outcome is unknown', () => {
  it('stays unknown though later answers say that a part is not available, and counts under one id once it is known', async () => {
    const { load, sent, answerWith } = tab();
    const page = load();
    answerWith(problem('outcome_unknown'), problem('unavailable'));
    await expect(page.send(wish)).rejects.toMatchObject({ code: 'still_asking' });
    expect(sent).toHaveLength(attemptsMax);
    expect(await page.ask()).toEqual([]);
    expect(page.store.read()).toMatchObject([{ about: 'adding 1 × Cap', isOpen: true, stopped: false }]);
    answerWith(accepted);
    expect(await page.ask()).toMatchObject([{ accepted: { seen: 's' } }]);
    expect(new Set(sent.map(({ commandId }) => commandId)).size).toBe(1);
    expect(page.store.read()).toEqual([]);
  });

  it.each(['session_ended', 'too_many_requests', 'limit_exceeded', 'unknown_product', 'identity_unavailable'])(
    'is not settled by %s, which says nothing about the first try',
    async (code) => {
      const { load, answerWith } = tab();
      const page = load();
      answerWith(lost, problem(code, 429));
      await expect(page.send(wish)).rejects.toMatchObject({ code: 'still_asking' });
      expect(await page.ask()).toEqual([]);
      expect(page.store.read()).toHaveLength(1);
    },
  );

  it('is found and asked for again after a reload, with its own id', async () => {
    const { load, sent, answerWith } = tab();
    answerWith(lost);
    const page = load();
    await expect(page.send(wish)).rejects.toThrow();
    const reloaded = load();
    expect(reloaded.store.read()).toMatchObject([{ isOpen: true }]);
    answerWith(accepted);
    expect(await reloaded.ask()).toHaveLength(1);
    expect(new Set(sent.map(({ commandId }) => commandId)).size).toBe(1);
  });

  it('is kept from before its first try', async () => {
    const { load, answerWith } = tab();
    const page = load();
    let reloaded: ReturnType<typeof load> | undefined;
    answerWith(() => {
      reloaded = load();
      return accepted;
    });
    await page.send(wish);
    expect(reloaded?.store.read()).toMatchObject([{ about: 'adding 1 × Cap', isOpen: true }]);
  });

  it('is asked for without end by nobody: the page stops within its bound, and goes on when told to', async () => {
    const { load, sent, now, answerWith } = tab();
    const page = load();
    answerWith(lost);
    await expect(page.send(wish)).rejects.toThrow();
    now.ms += askingMs;
    await page.ask();
    const { commandId, stopped } = page.store.read()[0]!;
    expect(stopped).toBe(true);
    const before = sent.length;
    await page.ask();
    expect(sent).toHaveLength(before);
    page.askOn(commandId);
    answerWith(accepted);
    expect(await page.ask()).toHaveLength(1);
  });

  it('is forgotten in the end, far below the age that the shop takes', async () => {
    const { load, now, answerWith } = tab();
    answerWith(lost);
    await expect(load().send(wish)).rejects.toThrow();
    now.ms += keptMs;
    expect(load().store.read()).toEqual([]);
    expect(keptMs).toBeLessThan(7 * 24 * 60 * 60_000);
  });

  it('is forgotten in the end also by a page that stays open', async () => {
    const { load, sent, now, answerWith } = tab();
    const page = load();
    answerWith(lost);
    await expect(page.send(wish)).rejects.toThrow();
    const before = sent.length;
    now.ms += keptMs;
    expect(await page.ask()).toEqual([]);
    expect(page.store.read()).toEqual([]);
    expect(sent).toHaveLength(before);
  });

  it('is not settled by being too old to be asked for: it may have been taken when it was young', async () => {
    const { load, answerWith } = tab();
    const page = load();
    answerWith(lost);
    await expect(page.send(wish)).rejects.toThrow();
    answerWith(problem('command_expired', 422));
    expect(await page.ask()).toEqual([]);
    expect(page.store.read()).toHaveLength(1);
  });

  it('stays unknown when something else answers instead of the shop, and is asked for under its id', async () => {
    const { load, sent, answerWith } = tab();
    const page = load();
    answerWith(new Response('<h1>Sign in to the Wi-Fi</h1>'));
    await expect(page.send(wish)).rejects.toMatchObject({ code: 'still_asking' });
    expect(page.store.read()).toMatchObject([{ isOpen: true }]);
    expect(await page.ask()).toEqual([]);
    answerWith(accepted);
    expect(await page.ask()).toHaveLength(1);
    expect(new Set(sent.map(({ commandId }) => commandId)).size).toBe(1);
  });

  it('has a bounded number of others beside it', async () => {
    const { load, answerWith } = tab();
    const page = load();
    answerWith(lost);
    for (let made = 0; made < pendingCountMax; made++) await expect(page.send(wish)).rejects.toMatchObject({ code: 'still_asking' });
    await expect(page.send(wish)).rejects.toMatchObject({ code: 'too_many_requests' });
  });

  it('does not block the next person, however many are kept', async () => {
    const { load, now, answerWith } = tab();
    const page = load();
    now.owner = ada;
    answerWith(lost);
    for (let made = 0; made < pendingCountMax; made++) await expect(page.send(wish)).rejects.toMatchObject({ code: 'still_asking' });
    now.owner = eve;
    answerWith(accepted);
    await page.send(wish);
    expect(page.mine()).toEqual([]);
    expect(page.store.read()).toHaveLength(pendingCountMax);
  });
});

describe('a command whose outcome is known', () => {
  it('is refused where no try was lost: it may be done anew', async () => {
    for (const answers of [
      [problem('unavailable')],
      [problem('limit_exceeded', 422)],
      [problem('unavailable'), problem('unknown_line', 422)],
    ]) {
      const { load, answerWith } = tab();
      const page = load();
      answerWith(...answers);
      await expect(page.send(wish)).rejects.not.toMatchObject({ code: 'still_asking' });
      expect(page.store.read()).toEqual([]);
    }
  });
});

describe('a command that is not known', () => {
  const unknown = async () => {
    const shop = tab();
    const page = shop.load();
    shop.answerWith(lost);
    await expect(page.send(wish)).rejects.toThrow();
    shop.answerWith(accepted);
    return { ...shop, page, before: shop.sent.length };
  };

  it("of a guest goes on under its id as the person whose sign-in claimed that guest's cart, also in a later session of theirs", async () => {
    const { page, sent, now, before } = await unknown();
    now.owner = ada;
    expect(page.follow()).toEqual([]);
    now.owner = { cartId: 'u_ada' };
    expect(await page.ask()).toHaveLength(1);
    expect(sent.slice(before)).toEqual([{ commandId: sent[0]!.commandId, cartId: 'u_ada', as: 'u_ada' }]);
  });

  it('is never sent as another person, and is kept for the first', async () => {
    const { page, sent, now, before } = await unknown();
    now.owner = ada;
    page.follow();
    for (const owner of [undefined, eve, { cartId: 'g_2' }]) {
      now.owner = owner;
      expect(page.follow()).toEqual([]);
      expect(await page.ask()).toEqual([]);
    }
    expect(sent).toHaveLength(before);
    now.owner = { cartId: 'u_ada' };
    expect(await page.ask()).toHaveLength(1);
  });

  it('is not sent on between two tries when somebody else has come', async () => {
    const { load, sent, now, answerWith } = tab();
    const page = load();
    answerWith(() => {
      now.owner = eve;
      return lost;
    });
    await expect(page.send(wish)).rejects.toMatchObject({ code: 'still_asking' });
    expect(sent.map(({ as }) => as)).toEqual(['g_1']);
  });

  it('stays with its person when the gateway says that the cookie is of somebody else', async () => {
    const { page, answerWith } = await unknown();
    answerWith(problem('other_cart', 409));
    expect(await page.ask()).toEqual([]);
    expect(page.store.read()).toHaveLength(1);
  });

  it('is not told to the person who came while the answer was on its way', async () => {
    const { page, now, answerWith } = await unknown();
    answerWith(() => {
      now.owner = eve;
      return accepted;
    });
    expect(await page.ask()).toEqual([]);
    expect(page.store.read()).toEqual([]);
  });

  it.each(['other_cart', 'session_ended', 'session_required'])('lets the page hear of %s, so that it looks who is here', async (code) => {
    const { page, heard, answerWith } = await unknown();
    answerWith(problem(code, 409));
    await page.ask();
    expect(heard.at(-1)).toBe(code);
    await expect(page.send(wish)).rejects.toMatchObject({ code });
    expect(heard.slice(-2)).toEqual([code, code]);
  });

  it('of a guest is kept while nobody is here: the sign-in that claimed the cart may have lost its answer', async () => {
    const { page, now } = await unknown();
    now.owner = undefined;
    expect(page.follow()).toEqual([]);
    now.owner = ada;
    expect(page.follow()).toEqual([]);
    expect(await page.ask()).toHaveLength(1);
  });

  it('of a guest whose region does not answer at the sign-in is sent as the person who signed in', async () => {
    const { page, sent, now, before } = await unknown();
    now.owner = { cartId: 'u_ada', guestWaits: true };
    expect(page.follow()).toEqual([]);
    now.owner = { cartId: 'u_ada' };
    expect(await page.ask()).toHaveLength(1);
    expect(sent.slice(before)).toEqual([{ commandId: sent[0]!.commandId, cartId: 'u_ada', as: 'u_ada' }]);
  });

  it('of a guest whose cart nobody can reach any more is dropped', async () => {
    for (const owner of [eve, { cartId: 'g_2' }]) {
      const { page, now } = await unknown();
      now.owner = owner;
      expect(page.follow()).toHaveLength(1);
      expect(page.store.read()).toEqual([]);
    }
  });
});

it('the tour quotes what the page shows while an addition is unknown', () => {
  const tour = readFileSync(join(import.meta.dirname, '../../../../docs/tour.md'), 'utf8');
  expect(tour).toContain(`“${pendingWords({ about: 'adding 1 × …', stopped: false })}”`);
  for (const isUnsure of [true, false]) expect(tour).toContain(`“${staleWords({ behind: 0 }, isUnsure)}”`);
  expect(staleWords({ behind: 3 }, true)).not.toContain('All changes are saved');
  const waits = (records: number) => staleWords({ behind: 0, behindRegions: [{ region: 'eu', records }] }, false);
  expect([waits(1), waits(3)]).toEqual([
    '1 event of eu is not here yet, and will appear.',
    '3 events of eu are not here yet, and will appear.',
  ]);
});
